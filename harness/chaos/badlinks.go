package chaos

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// How bad links are that say no number of their own.
const (
	loss   = 0.2
	narrow = 2000 // bytes a second
)

// ways are the links that the fault is about, if those are known beforehand.
func (f Fault) links() []fault.Link {
	there, back := fault.Link{From: f.Node, To: f.Other}, fault.Link{From: f.Other, To: f.Node}
	switch {
	case f.Kind == CutBothWays || f.Kind == FlappingLink:
		return []fault.Link{there, back}
	case f.Kind.ofLink():
		return []fault.Link{there}
	}
	return nil
}

// rule is what becomes of the link.
func (f Fault) rule() fault.Rule {
	switch f.Kind {
	case SlowLink:
		return fault.Rule{Latency: f.By, Jitter: f.By / 2}
	case LossyLink:
		return fault.Rule{Loss: loss}
	}
	return fault.Rule{Bandwidth: narrow}
}

// groups are the halves of a partition.
func (p *play) groups(f Fault) (low, high []int) {
	for _, node := range p.cluster.Nodes() {
		if node.Index() < max(f.Node, 1) {
			low = append(low, node.Index())
		} else {
			high = append(high, node.Index())
		}
	}
	return low, high
}

func (p *play) spoilLinks(ctx context.Context, f Fault) (undo, error) {
	links := f.links()
	mend := func(ctx context.Context) error { return p.mend(ctx, links) }
	var err error
	switch f.Kind {
	case CutOneWay, CutBothWays:
		err = p.cluster.Cut(ctx, fault.Drop, links...)
	case Partition:
		low, high := p.groups(f)
		if len(low) == 0 || len(high) == 0 { // the schedule has removed one side
			return nil, errInTheWay
		}
		links = fault.Partition(low, high)
		err = p.cluster.Partition(ctx, low, high)
	case IsolateLeader:
		var leader int
		if leader, err = p.cluster.IsolateLeader(ctx); err == nil {
			links = fault.Around(leader, p.others(leader))
		}
	case SlowLink, LossyLink, NarrowLink:
		err = p.cluster.SetLink(ctx, f.Node, f.Other, f.rule())
		mend = func(ctx context.Context) error {
			return p.unlessRemoved(p.cluster.SetLink(ctx, f.Node, f.Other, fault.Rule{}), f.Node, f.Other)
		}
	case ResetLink:
		err = p.cluster.ResetLink(ctx, f.Node, f.Other)
	case FlappingLink:
		var stop func() error
		if stop, err = p.cluster.Flapping(ctx, f.By, links...); err == nil {
			return func(context.Context) error { return p.unlessRemoved(stop(), f.Node, f.Other) }, nil
		}
	default:
		err = fmt.Errorf("there is no kind %q", string(f.Kind))
	}
	return mend, err
}

func (p *play) others(node int) (others []int) {
	for _, n := range p.cluster.Nodes() {
		if n.Index() != node {
			others = append(others, n.Index())
		}
	}
	return others
}

// mend mends those of the links whose ends are still there.
func (p *play) mend(ctx context.Context, links []fault.Link) error {
	var there []fault.Link
	var ends []int
	for _, link := range links {
		if p.is(link.From) && p.is(link.To) {
			there = append(there, link)
			ends = append(ends, link.From, link.To)
		}
	}
	if len(there) == 0 {
		return nil
	}
	return p.unlessRemoved(p.cluster.Mend(ctx, there...), ends...)
}

func (p *play) is(end int) bool {
	if end == fault.Clients {
		return true
	}
	_, err := p.cluster.Node(end)
	return err == nil
}
