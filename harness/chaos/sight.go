package chaos

import (
	"context"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// sight is what can be seen of what a fault is about. Two of them tell whether it bit.
type sight struct {
	committed, term uint64 // the highest that any node knows
	applied         uint64 // by the fault's node
	led             bool   // by the fault's node
	struck          bool   // the fault's node, in the middle of a snapshot
	links           fault.LinkStats
	blind           bool // its link could not be asked
}

func (p *play) sight(ctx context.Context, f Fault) (s sight) {
	for _, l := range p.cluster.Observe(ctx) {
		if l.Err != nil {
			continue
		}
		s.committed, s.term = max(s.committed, l.Status.CommitIndex), max(s.term, l.Status.Term)
		if l.Node.Index() == f.Node {
			s.applied, s.led = l.Status.AppliedIndex, leads(l)
		}
	}
	p.mu.Lock()
	s.struck = p.struck[f.Node]
	p.mu.Unlock()
	for _, link := range f.links() {
		stats, err := p.cluster.LinkStats(ctx, link.From, link.To)
		s.links = s.links.Plus(stats)
		s.blind = s.blind || err != nil
	}
	return s
}

// leads tells whether the node takes itself for the leader.
func leads(l harness.Observation) bool {
	return l.Err == nil && l.Status.State != target.Offline && l.Status.Leader == l.Node.ID()
}

// bit tells whether it shows that the fault bit, before it is undone.
func (f Fault) bit(before, after sight) bool {
	moved := after.committed > before.committed || after.term > before.term
	switch f.Kind {
	case CutOneWay, CutBothWays:
		return before.links.Messages > 0 && after.links.Messages == before.links.Messages
	case SlowLink, NarrowLink:
		return after.links.Messages > before.links.Messages
	case LossyLink:
		return after.links.Lost > before.links.Lost
	case ResetLink:
		return after.links.Resets > before.links.Resets
	case FlappingLink:
		return before.links.Messages > 0
	case IsolateLeader:
		return after.term > before.term
	case SlowDisk:
		return after.applied > before.applied
	case ClockAhead, ClockBehind, ClockJump:
		return moved && (before.led || after.led)
	case CrashInstalling:
		return after.struck
	case AddNode, RemoveNode, CrashAll:
		return true
	}
	return moved // without the node
}
