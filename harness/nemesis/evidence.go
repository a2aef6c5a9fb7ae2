package nemesis

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Evidence is what is observed of a cluster and of what a fault acts on. Kind.Bit compares two.
type Evidence struct {
	CommitIndex, Term uint64 // the highest that any node knows
	Running           int    // nodes that answered

	Applied uint64 // the applied index of the fault's node
	Led     bool   // the fault's node took itself for the leader
	Member  bool   // the fault's node is a member
	Struck  bool   // the fault's node crashed while it installed a snapshot

	Links fault.LinkStats // the sum over the fault's links
	Blind bool            // a link could not be asked, so nothing is known
}

// moved tells whether the cluster made progress: committed an entry, or held an election.
func moved(before, after Evidence) bool {
	return after.CommitIndex > before.CommitIndex || after.Term > before.Term
}

// observe asks all nodes and the fault's links. It blocks for a second if a node does not answer.
func (in *Injection) observe(ctx context.Context) Evidence {
	f := in.Fault()
	var e Evidence
	for _, l := range in.cluster.Observe(ctx) {
		e.Member = e.Member || l.Node.Index() == f.Node
		if l.Err != nil {
			continue
		}
		e.CommitIndex, e.Term = max(e.CommitIndex, l.Status.CommitIndex), max(e.Term, l.Status.Term)
		if l.Status.State != target.Offline {
			e.Running++
		}
		if l.Node.Index() == f.Node {
			e.Applied, e.Led = l.Status.AppliedIndex, Leads(l)
		}
	}
	e.Struck = in.struck.Load()
	for _, link := range in.links {
		stats, err := in.cluster.LinkStats(ctx, link.From, link.To)
		e.Links = e.Links.Plus(stats)
		e.Blind = e.Blind || err != nil
	}
	return e
}

// Leads tells whether the node takes itself for the leader.
func Leads(l harness.Observation) bool {
	return l.Err == nil && l.Status.State != target.Offline && l.Status.Leader == l.Node.ID()
}

// Installing tells whether the node is in the middle of installing a snapshot.
func Installing(s target.Status) bool {
	return s.Activities.Include(target.ReceivingSnapshot, target.InstallingSnapshot)
}

// Effect is what the evidence shows of a fault.
type Effect int

const (
	// NoEffect means that the fault was in force and nothing shows that it had an effect.
	NoEffect Effect = iota
	// Bit means that the fault had an effect.
	Bit
	// Unobserved means that the evidence could not be collected.
	Unobserved
)

func (e Effect) String() string {
	switch e {
	case NoEffect:
		return "no effect"
	case Bit:
		return "bit"
	case Unobserved:
		return "unobserved"
	}
	return fmt.Sprintf("effect %d", int(e))
}

func (k Kind) effect(before, after Evidence) Effect {
	switch {
	case before.Blind || after.Blind:
		return Unobserved
	case k.Bit(before, after):
		return Bit
	}
	return NoEffect
}
