package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// undo undoes a fault.
type undo func(context.Context) error

// How bad links are that say no number of their own.
const (
	loss   = 0.2
	narrow = 2000 // bytes a second
)

// make makes a fault, and returns how to undo it.
func (p *play) make(ctx context.Context, f Fault) (undo, error) {
	switch f.Kind {
	case Isolate, Stop, Crash, Pause:
		return p.lose(ctx, f.Node, harness.Way(f.Kind))
	case Wipe:
		return p.lose(ctx, f.Node, harness.Crash, harness.Wiped)
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

func (p *play) lose(ctx context.Context, node int, way harness.Way, back ...harness.Return) (undo, error) {
	if err := p.cluster.TakeNodeOffline(ctx, node, way); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return p.unlessRemoved(p.cluster.BringNodeOnline(ctx, node, back...), node)
	}, nil
}

// atASnapshot are words of which a node says one while it takes a snapshot in.
var atASnapshot = []string{"receiving", "restoring"}

// loseInstalling crashes a node and brings it back, on a disk that is slow, after half
// the time: long enough for the others to compact what it lacks. In the middle of the
// snapshot that it is sent it crashes again.
func (p *play) loseInstalling(ctx context.Context, f Fault) (undo, error) {
	if err := p.cluster.TakeNodeOffline(ctx, f.Node, harness.Crash); err != nil {
		return nil, err
	}
	done := make(chan error)
	waiting, stop := context.WithCancel(ctx)
	go func() { done <- p.crashInstalling(ctx, waiting, f) }()
	return func(ctx context.Context) error {
		stop()
		err := <-done
		p.strike(f.Node, false)
		err = errors.Join(err, p.cluster.SetDisk(ctx, f.Node, disk.Faults{}))
		if _, lost := p.cluster.Lost(f.Node); lost {
			err = errors.Join(err, p.cluster.BringNodeOnline(ctx, f.Node))
		}
		return err
	}, nil
}

// crashInstalling is the second half of loseInstalling. The end of waiting ends what it
// waits for, and nothing that it does.
func (p *play) crashInstalling(ctx, waiting context.Context, f Fault) error {
	if !pass(waiting, f.Lasts/2) {
		return nil
	}
	if err := errors.Join(p.cluster.SetDisk(ctx, f.Node, disk.Faults{Slow: f.By}), p.cluster.BringNodeOnline(ctx, f.Node)); err != nil {
		return err
	}
	if installs, err := p.installs(waiting, f); err != nil || !installs {
		return err
	}
	err := p.cluster.TakeNodeOffline(ctx, f.Node, harness.Crash)
	p.strike(f.Node, err == nil)
	return err
}

// strike notes whether a node has crashed in the middle of a snapshot.
func (p *play) strike(node int, is bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.struck[node] = is
}

// installs tells whether the node is in the middle of a snapshot before ctx ends. A node
// that cannot be asked is asked again.
func (p *play) installs(ctx context.Context, f Fault) (bool, error) {
	node, err := p.cluster.Node(f.Node)
	if err != nil {
		return false, err
	}
	for seen := 0; seen < 2; {
		if status, err := node.Status(ctx); err == nil && isAtASnapshot(status) {
			seen++
		}
		if !pass(ctx, f.By/4) {
			return false, nil
		}
	}
	return true, nil
}

func isAtASnapshot(s target.Status) bool {
	return slices.ContainsFunc(atASnapshot, func(what string) bool { return strings.Contains(s.Activity, what) })
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
		again, err := p.lose(ctx, node.Index(), harness.Crash)
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
func (f Fault) diskFaults() disk.Faults {
	switch f.Kind {
	case FullDisk:
		return disk.Faults{Full: true}
	case LyingDisk:
		return disk.Faults{Lying: true}
	case TornDisk:
		return disk.Faults{Torn: true}
	}
	return disk.Faults{Slow: f.By}
}

// spoilDisk makes a disk bad. A node whose disk was more than slow must crash; what
// it then has is only what a torn write left, or nothing to be relied on.
func (p *play) spoilDisk(ctx context.Context, f Fault) (undo, error) {
	if err := p.cluster.SetDisk(ctx, f.Node, f.diskFaults()); err != nil {
		return nil, err
	}
	sound := func(ctx context.Context) error { return p.cluster.SetDisk(ctx, f.Node, disk.Faults{}) }
	if f.Kind == SlowDisk {
		return sound, nil
	}
	return func(ctx context.Context) error {
		if err := p.cluster.TakeNodeOffline(ctx, f.Node, harness.Crash); err != nil {
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

// ways are the links that the fault is about, if those are known beforehand.
func (f Fault) ways() []network.Way[int] {
	there, back := network.Way[int]{From: f.Node, To: f.Other}, network.Way[int]{From: f.Other, To: f.Node}
	switch {
	case f.Kind == CutBothWays || f.Kind == FlappingLink:
		return []network.Way[int]{there, back}
	case f.Kind.ofLink():
		return []network.Way[int]{there}
	}
	return nil
}

// rule is what becomes of the link.
func (f Fault) rule() network.Rule {
	switch f.Kind {
	case SlowLink:
		return network.Rule{Latency: f.By, Jitter: f.By / 2}
	case LossyLink:
		return network.Rule{Loss: loss}
	}
	return network.Rule{Bandwidth: narrow}
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
	ways := f.ways()
	mend := func(ctx context.Context) error { return p.mend(ctx, ways) }
	var err error
	switch f.Kind {
	case CutOneWay, CutBothWays:
		err = p.cluster.Cut(ctx, network.Drop, ways...)
	case Partition:
		low, high := p.groups(f)
		if len(low) == 0 || len(high) == 0 { // the schedule has removed one side
			return nil, errInTheWay
		}
		ways = network.Partition(low, high)
		err = p.cluster.Partition(ctx, low, high)
	case IsolateLeader:
		var leader int
		if leader, err = p.cluster.IsolateLeader(ctx); err == nil {
			ways = network.Around(leader, p.others(leader))
		}
	case SlowLink, LossyLink, NarrowLink:
		err = p.cluster.SetLink(ctx, f.Node, f.Other, f.rule())
		mend = func(ctx context.Context) error {
			return p.unlessRemoved(p.cluster.SetLink(ctx, f.Node, f.Other, network.Rule{}), f.Node, f.Other)
		}
	case ResetLink:
		err = p.cluster.ResetLink(ctx, f.Node, f.Other)
	case FlappingLink:
		var stop func() error
		if stop, err = p.cluster.Flapping(ctx, f.By, ways...); err == nil {
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
func (p *play) mend(ctx context.Context, ways []network.Way[int]) error {
	var there []network.Way[int]
	var ends []int
	for _, way := range ways {
		if p.is(way.From) && p.is(way.To) {
			there = append(there, way)
			ends = append(ends, way.From, way.To)
		}
	}
	if len(there) == 0 {
		return nil
	}
	return p.unlessRemoved(p.cluster.Mend(ctx, there...), ends...)
}

func (p *play) is(end int) bool {
	if end == harness.Clients {
		return true
	}
	_, err := p.cluster.Node(end)
	return err == nil
}
