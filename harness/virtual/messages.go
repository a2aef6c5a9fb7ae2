package virtual

import (
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/target"
)

// mostMessages is how many messages a cluster remembers.
const mostMessages = 600

// messages remembers the latest calls between nodes. It takes no lock and no pooled memory: in exact replay those are points at
// which goroutines may yield, and watching must not change a run.
type messages struct {
	next atomic.Uint64
	ring [mostMessages]atomic.Pointer[message]
}

// message is a call, told in words only when it is asked for.
type message struct {
	to      string
	from    string
	sent    time.Time
	took    time.Duration
	is      string
	entries int
	first   uint64 // log index
	term    uint64
	no      bool // the answer was no
	err     error
}

func (m *messages) add(one message) {
	one.took = time.Since(one.sent)
	m.ring[(m.next.Add(1)-1)%mostMessages].Store(&one)
}

// around returns seams that remember what the given seams send.
func (m *messages) around(seams func(embedded.Life) embedded.Seams) func(embedded.Life) embedded.Seams {
	return func(life embedded.Life) embedded.Seams {
		s := seams(life)
		inner := s.Transport
		s.Transport = func(t embedded.Transport) embedded.Transport { return watched{orItself(t, inner), life.ID, m} }
		return s
	}
}

// all are the messages in words, in the order in which they were answered.
func (m *messages) all() []target.Message {
	var all []target.Message
	next := m.next.Load()
	for i := next - min(next, mostMessages); i < next; i++ {
		one := m.ring[i%mostMessages].Load()
		if one == nil {
			continue
		}
		from, errFrom := strconv.Atoi(one.from[1:])
		to, errTo := strconv.Atoi(one.to[1:])
		if errFrom != nil || errTo != nil {
			continue // no node of this cluster
		}
		told := target.Message{From: from, To: to, Sent: one.sent, Took: one.took, What: one.words()}
		if one.err != nil {
			told.Err = one.err.Error()
		}
		all = append(all, told)
	}
	return all
}

func (m *message) words() string {
	words := m.is
	if m.entries > 0 {
		words += fmt.Sprintf(" %d from index %d on", m.entries, m.first)
	}
	words += fmt.Sprintf(", term %d", m.term)
	if m.no {
		words += ": refused"
	}
	return words
}

// watched is a transport whose calls are remembered.
type watched struct {
	embedded.Transport
	node     string
	messages *messages
}

func (w watched) AppendEntries(
	id raft.ServerID, at raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse,
) error {
	one := message{from: w.node, to: string(id), sent: time.Now(), is: "heartbeat", term: args.Term, entries: len(args.Entries)}
	if one.entries > 0 {
		one.is, one.first = "append", args.PrevLogEntry+1
	}
	one.err = w.Transport.AppendEntries(id, at, args, resp)
	one.no = one.err == nil && !resp.Success
	w.messages.add(one)
	return one.err
}

func (w watched) RequestVote(id raft.ServerID, at raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	one := message{from: w.node, to: string(id), sent: time.Now(), is: "request a vote", term: args.Term}
	one.err = w.Transport.RequestVote(id, at, args, resp)
	one.no = one.err == nil && !resp.Granted
	w.messages.add(one)
	return one.err
}

func (w watched) RequestPreVote(id raft.ServerID, at raft.ServerAddress, args *raft.RequestPreVoteRequest,
	resp *raft.RequestPreVoteResponse) error {
	one := message{from: w.node, to: string(id), sent: time.Now(), is: "request a pre-vote", term: args.Term}
	one.err = w.Transport.RequestPreVote(id, at, args, resp)
	one.no = one.err == nil && !resp.Granted
	w.messages.add(one)
	return one.err
}

func (w watched) InstallSnapshot(id raft.ServerID, at raft.ServerAddress, args *raft.InstallSnapshotRequest,
	resp *raft.InstallSnapshotResponse, data io.Reader) error {
	one := message{from: w.node, to: string(id), sent: time.Now(), is: "install a snapshot", term: args.Term}
	one.err = w.Transport.InstallSnapshot(id, at, args, resp, data)
	one.no = one.err == nil && !resp.Success
	w.messages.add(one)
	return one.err
}

func (w watched) TimeoutNow(id raft.ServerID, at raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	one := message{from: w.node, to: string(id), sent: time.Now(), is: "hand over leadership"}
	one.err = w.Transport.TimeoutNow(id, at, args, resp)
	w.messages.add(one)
	return one.err
}
