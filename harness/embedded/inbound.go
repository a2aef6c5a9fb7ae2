package embedded

import (
	"io"
	"slices"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// inbound is a transport that hands Raft what the others send: all of it through Raft's
// main loop, and five things in a better way than Raft (seen in 1.8.0) would take them.
//
// A heartbeat is not handled beside the main loop. There Raft's state changes under the
// loop's feet: a node that has just begun to stand for election is taken back to the
// term before, in which it could then lead a second time; or it is left a candidate that
// names a leader. See hear.
//
// A candidate that names a leader refuses its vote to everybody, and when that leader is
// lost nobody may ever be elected. See forgetLeader.
//
// Who stands for election need not be a member that this node knows, or knows for a
// voter: it may lag behind the change. Raft refuses its vote to those it does not know,
// and where that vote is needed for a quorum nobody may ever be elected. See admit.
//
// A snapshot that is no newer than what the node has applied is installed already. Raft
// would install it once more, and with it drop all of its log: also the entries after the
// snapshot, which it has told its leader are safe. It goes on counting them as its own,
// and panics when it comes to apply them. Such a snapshot comes from a leader's goroutine
// that replicated to a member which was removed and taken in again; it has the log's old
// end in mind. See installed.
//
// Entries that begin at or before the end of the snapshot can be refused only because the
// log does not reach back that far, since what is in a snapshot is in every leader's log.
// Raft refuses them, whereupon the leader goes back entry by entry to the beginning of its
// own log, and sends its snapshot again, and so on for ever. See reachBack.
type inbound struct {
	Transport
	node *Node
	raft atomic.Pointer[raft.Raft] // nil until it runs
	// missed is a heartbeat that was answered while Raft's main loop was at work.
	missed chan raft.RPC
}

// sorted returns the transport with two goroutines of its own, which end with the node.
func (n *Node) sorted(inner Transport) *inbound {
	t := &inbound{Transport: inner, node: n, missed: make(chan raft.RPC, 1)}
	inner.SetHeartbeatHandler(t.hear)
	n.wg.Go(t.sort)
	n.wg.Go(t.catchUp)
	return t
}

// Consumer is where Raft's main loop gets what the others send.
func (t *inbound) Consumer() <-chan raft.RPC { return t.node.incoming }

// SetHeartbeatHandler does without Raft's own handler.
func (t *inbound) SetHeartbeatHandler(func(raft.RPC)) {}

func (t *inbound) sort() {
	for {
		select {
		case rpc := <-t.Transport.Consumer():
			if t.installed(rpc) {
				continue
			}
			t.forgetLeader(rpc)
			t.admit(rpc)
			t.reachBack(rpc)
			t.node.deliver(rpc)
		case <-t.node.ctx.Done():
			return
		}
	}
}

// deliver hands a call to Raft's main loop. It blocks until that has taken it, or the
// node ends.
func (n *Node) deliver(rpc raft.RPC) {
	select {
	case n.incoming <- rpc:
	case <-n.ctx.Done():
	}
}

// hear takes a heartbeat. A main loop that is at work, perhaps for long with a snapshot
// or a slow disk, does not keep the leader waiting: that this node follows it can be told
// without the loop, which is told of the heartbeat as soon as it is free.
func (t *inbound) hear(rpc raft.RPC) {
	select {
	case t.node.incoming <- rpc:
		return
	default:
	}
	if !t.follows(rpc) {
		t.node.deliver(rpc)
		return
	}
	r := t.raft.Load()
	rpc.Respond(&raft.AppendEntriesResponse{RPCHeader: t.node.header(), Term: r.CurrentTerm(), LastLog: r.LastIndex(), Success: true}, nil)
	select {
	case t.missed <- again(rpc.Command):
	default: // one is enough
	}
}

// follows tells that the sender leads the node's own term. As long as a node is in a
// term it has voted in no later one, so the leader may count on it.
func (t *inbound) follows(rpc raft.RPC) bool {
	request, is := rpc.Command.(*raft.AppendEntriesRequest)
	r := t.raft.Load()
	if !is || r == nil || r.State() != raft.Follower {
		return false
	}
	_, leader := r.LeaderWithID()
	return leader == raft.ServerID(request.ID) && r.CurrentTerm() == request.Term
}

func (t *inbound) catchUp() {
	for {
		select {
		case rpc := <-t.missed:
			t.node.deliver(rpc)
		case <-t.node.ctx.Done():
			return
		}
	}
}

// again is a call that nobody waits for.
func again(command any) raft.RPC {
	return raft.RPC{Command: command, RespChan: make(chan raft.RPCResponse, 1)}
}

// forgetLeader comes before a call for a vote. A candidate comes to name a leader by a
// snapshot that its term's leader sends, or by a heartbeat while it stands because it was
// told to. It is made a follower once more, which it ceases to be in good order when
// nothing is heard from that leader.
func (t *inbound) forgetLeader(rpc raft.RPC) {
	switch rpc.Command.(type) {
	case *raft.RequestVoteRequest, *raft.RequestPreVoteRequest:
	default:
		return
	}
	r := t.raft.Load()
	if r == nil || r.State() != raft.Candidate {
		return
	}
	address, leader := r.LeaderWithID()
	if leader == "" {
		return
	}
	t.node.deliver(again(&raft.AppendEntriesRequest{
		RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(leader), Addr: []byte(address)},
		Term:      r.CurrentTerm(),
	}))
}

// admit has a candidate that this node does not know for a voter pass for one that it
// does know. A vote goes by the log and by the candidate's address, and not by who is a
// member here (Ongaro, "Consensus: Bridging Theory and Practice", 2014, section 4.1).
func (t *inbound) admit(rpc raft.RPC) {
	var from *raft.RPCHeader
	switch request := rpc.Command.(type) {
	case *raft.RequestVoteRequest:
		from = &request.RPCHeader
	case *raft.RequestPreVoteRequest:
		from = &request.RPCHeader
	default:
		return
	}
	r := t.raft.Load()
	if r == nil {
		return
	}
	known := raft.ServerID("")
	for _, member := range r.GetConfiguration().Configuration().Servers {
		switch {
		case member.Suffrage != raft.Voter:
		case member.ID == raft.ServerID(from.ID):
			return
		default:
			known = member.ID
		}
	}
	from.ID = []byte(known)
}

// reachBack leaves out of the entries that are to be appended what is in the snapshot
// and not in the log any more: they then follow what is there. They may tell of no commit
// beyond themselves, because what is in the log after them need not be the leader's.
func (t *inbound) reachBack(rpc raft.RPC) {
	request, is := rpc.Command.(*raft.AppendEntriesRequest)
	if !is || request.PrevLogEntry == 0 {
		return
	}
	end := t.node.newestSnapshot.Load()
	if first, err := t.node.storage.Log.FirstIndex(); err != nil || first > 0 {
		end = min(end, first-1)
	}
	if request.PrevLogEntry > end {
		return
	}
	last := request.PrevLogEntry
	if n := len(request.Entries); n > 0 {
		last = request.Entries[n-1].Index
	}
	request.LeaderCommitIndex = min(request.LeaderCommitIndex, last)
	request.PrevLogEntry, request.PrevLogTerm = 0, 0
	request.Entries = slices.DeleteFunc(request.Entries, func(entry *raft.Log) bool { return entry.Index <= end })
}

// installed answers for a snapshot that is installed already. That it is, is true for
// whoever asks, also for a leader of the past.
func (t *inbound) installed(rpc raft.RPC) bool {
	request, is := rpc.Command.(*raft.InstallSnapshotRequest)
	if !is || request.LastLogIndex > t.node.storage.machine.Applied() {
		return false
	}
	_, err := io.Copy(io.Discard, rpc.Reader)
	rpc.Respond(&raft.InstallSnapshotResponse{RPCHeader: t.node.header(), Term: request.Term, Success: err == nil}, err)
	return true
}
