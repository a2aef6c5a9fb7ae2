package chaos

import (
	"context"
	"errors"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// undo undoes a fault.
type undo func(context.Context) error

// make makes a fault, and returns how to undo it.
func (p *play) make(ctx context.Context, f Fault) (undo, error) {
	switch f.Kind {
	case Isolate, Stop, Crash, Pause:
		return p.lose(ctx, f.Node, fault.Mode(f.Kind))
	case Wipe:
		return p.lose(ctx, f.Node, fault.Crash, harness.Wiped)
	case CrashInstalling:
		return p.loseInstalling(ctx, f)
	case CrashAll:
		return p.loseAll(ctx)
	case AddNode:
		return p.add(ctx)
	case RemoveNode:
		return p.remove(ctx, f.Node)
	case SlowDisk, FullDisk, LyingDisk, TornDisk:
		return p.spoilDisk(ctx, f)
	case ClockAhead, ClockBehind, ClockJump:
		return p.setClock(ctx, f)
	}
	return p.spoilLinks(ctx, f)
}

func (p *play) lose(ctx context.Context, node int, mode fault.Mode, back ...harness.ReturnOption) (undo, error) {
	if err := p.cluster.TakeNodeOffline(ctx, node, mode); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return p.unlessRemoved(p.cluster.BringNodeOnline(ctx, node, back...), node)
	}, nil
}

// loseAll crashes all nodes that have not gone already, at once.
func (p *play) loseAll(ctx context.Context) (undo, error) {
	var undos []undo
	back := func(ctx context.Context) (err error) {
		for _, back := range undos {
			err = errors.Join(err, back(ctx))
		}
		return err
	}
	for _, node := range p.cluster.Nodes() {
		again, err := p.lose(ctx, node.Index(), fault.Crash)
		switch {
		case err == nil:
			undos = append(undos, again)
		case p.isAway(err, []int{node.Index()}):
		default:
			return nil, errors.Join(err, back(ctx))
		}
	}
	if len(undos) == 0 {
		return nil, errInTheWay
	}
	return back, nil
}

func (p *play) add(ctx context.Context) (undo, error) {
	node, err := p.cluster.AddNode(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return p.takeOut(ctx, node.Index()) }, nil
}

func (p *play) remove(ctx context.Context, node int) (undo, error) {
	if p.cluster.Size() < leastToRemove {
		return nil, errInTheWay
	}
	if err := p.takeOut(ctx, node); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		_, err := p.cluster.AddNode(ctx)
		return err
	}, nil
}

// leastToRemove is how many members there must be so that one can be removed.
const leastToRemove = 3

func (p *play) takeOut(ctx context.Context, node int) error {
	defer p.leave(node)()
	return p.cluster.RemoveNode(ctx, node)
}

// diskFaults are what is wrong with the disk.
func (f Fault) diskFaults() fault.Disk {
	switch f.Kind {
	case FullDisk:
		return fault.Disk{Full: true}
	case LyingDisk:
		return fault.Disk{Lying: true}
	case TornDisk:
		return fault.Disk{Torn: true}
	}
	return fault.Disk{Slow: f.By}
}

// spoilDisk makes a disk bad. A node whose disk was more than slow must crash; what
// it then has is only what a torn write left, or nothing to be relied on.
func (p *play) spoilDisk(ctx context.Context, f Fault) (undo, error) {
	if err := p.cluster.SetDisk(ctx, f.Node, f.diskFaults()); err != nil {
		return nil, err
	}
	sound := func(ctx context.Context) error { return p.cluster.SetDisk(ctx, f.Node, fault.Disk{}) }
	if f.Kind == SlowDisk {
		return sound, nil
	}
	return func(ctx context.Context) error {
		if err := p.cluster.TakeNodeOffline(ctx, f.Node, fault.Crash); err != nil {
			return err
		}
		if f.Kind == TornDisk {
			return errors.Join(sound(ctx), p.cluster.BringNodeOnline(ctx, f.Node))
		}
		return p.cluster.BringNodeOnline(ctx, f.Node, harness.Wiped)
	}, nil
}

// ahead is how far a clock is ahead at first, and after half the time.
func (f Fault) ahead() (first, then time.Duration) {
	switch f.Kind {
	case ClockBehind:
		return -f.By, -f.By
	case ClockJump:
		return f.By, -f.By
	}
	return f.By, f.By
}

func (p *play) setClock(ctx context.Context, f Fault) (undo, error) {
	first, then := f.ahead()
	if err := p.cluster.SetClock(ctx, f.Node, first); err != nil {
		return nil, err
	}
	right := func(ctx context.Context) error {
		return p.unlessRemoved(p.cluster.SetClock(ctx, f.Node, 0), f.Node)
	}
	if then == first {
		return right, nil
	}
	jumped := make(chan error)
	waiting, stop := context.WithCancel(ctx)
	go func() {
		var err error
		if pass(waiting, f.Lasts/2) {
			err = p.unlessRemoved(p.cluster.SetClock(ctx, f.Node, then), f.Node)
		}
		jumped <- err
	}()
	return func(ctx context.Context) error {
		stop()
		return errors.Join(<-jumped, right(ctx))
	}, nil
}
