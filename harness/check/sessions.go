package check

import (
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// The session guarantees are those of Terry et al., "Session Guarantees for Weakly
// Consistent Replicated Data" (PDIS 1994), for registers, sets, lists and counters. A
// read is answered from some set of writes, in one order that all replicas share. Each guarantee
// demands of that set what its name says, and no more.
//
// A session consists of a numbered client and its strong reads, from any node. Its reads at other
// levels belong to a session with one node, which lasts while the flag of the node is up; a history
// that names no nodes has one session for each client. The rules "at any node" join a client's reads
// of all levels and nodes into one session.

// Monotonic judges monotonic reads: a read shows every write that an earlier read of the session
// showed.
func Monotonic(events []journal.Event) error { return monotonicRule.Judge(events).Err() }

// OwnWrites judges read your writes: a read shows the acknowledged writes of its own session.
func OwnWrites(events []journal.Event) error { return ownWritesRule.Judge(events).Err() }

// MonotonicWrites judges all reads: a read that shows a write shows the earlier acknowledged writes
// of that write's client, in order.
func MonotonicWrites(events []journal.Event) error { return monotonicWritesRule.Judge(events).Err() }

// WritesFollowReads judges all reads: a read that shows a write shows what that write's client had
// read before, in order.
func WritesFollowReads(events []journal.Event) error {
	return writesFollowReadsRule.Judge(events).Err()
}

var (
	monotonicRule = Rule{"monotonic reads", "A read shows everything that earlier reads of the session showed.",
		func(h history, v *Verdict) { judgeReads(h, v, false, monotonicReads) }}
	ownWritesRule = Rule{"read your writes", "A read shows the acknowledged writes of its session.",
		func(h history, v *Verdict) { judgeReads(h, v, false, ownWrites) }}
	monotonicAnywhereRule = Rule{"monotonic reads, at any node",
		"A read at any node shows everything that the client's earlier reads showed at other nodes.",
		func(h history, v *Verdict) { judgeReads(h, v, true, monotonicReads) }}
	ownWritesAnywhereRule = Rule{"read your writes, at any node", "A read at any node shows the client's acknowledged writes.",
		func(h history, v *Verdict) { judgeReads(h, v, true, ownWrites) }}
	monotonicWritesRule = Rule{"monotonic writes", "A read that shows a write shows the earlier writes of its client.",
		func(h history, v *Verdict) { judgeWrites(h, v, monotonicWrites) }}
	writesFollowReadsRule = Rule{"writes follow reads", "A read that shows a write shows what its client had read before.",
		func(h history, v *Verdict) { judgeWrites(h, v, writesFollowReads) }}
)

// guarantee is one of the four.
type guarantee int

const (
	monotonicReads guarantee = iota
	ownWrites
	monotonicWrites
	writesFollowReads
)

// broken returns the name of a violation of the guarantee.
func (g guarantee) broken() string {
	return [...]string{"not monotonic", "own write not seen", "writes not monotonic", "write without what it follows"}[g]
}

// sessionModels are the models whose sessions are judged.
var sessionModels = []journal.Model{journal.Register, journal.Set, journal.List, journal.Counter}

// session is a client with an object that it reads: at one node in one of its lives, if that matters.
type session struct {
	client, node, life int
	key                string
	model              journal.Model
}

// lives has the times at which the flag of each node went down.
type lives map[int][]*journal.Event

func (h history) lives() lives {
	l := make(lives)
	for _, e := range h.events {
		if e.Flag != nil && !e.Flag.Online {
			l[e.Node] = append(l[e.Node], e)
		}
	}
	return l
}

// at returns the number of the life of the node that answered an operation.
func (l lives) at(e *journal.Event) int {
	return len(l[e.Node]) - len(after(l[e.Node], e))
}

func after(moves []*journal.Event, e *journal.Event) []*journal.Event {
	i, _ := slices.BinarySearchFunc(moves, e.At, func(m *journal.Event, at time.Time) int { return m.At.Compare(at) })
	return moves[i:]
}

// inSession returns the operations of numbered clients on these models, in the order of their
// beginnings.
func (h history) inSession() []*journal.Event {
	var found []*journal.Event
	for _, e := range h.events {
		if e.Kind == journal.Operation && slices.Contains(sessionModels, e.Op.Model) && e.Op.Client != journal.None && !e.Op.Final {
			found = append(found, e)
		}
	}
	return found
}

// sessionOf returns the session of a step of an operation.
func (l lives) sessionOf(e *journal.Event, s journal.Step, anywhere bool) session {
	of := session{client: e.Op.Client, node: journal.None, key: s.Key, model: e.Op.Model}
	if !anywhere && e.Op.Level != journal.Strong {
		of.node, of.life = e.Node, 1+l.at(e)
	}
	return of
}
