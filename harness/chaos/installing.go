package chaos

import (
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// loseInstalling crashes a node and brings it back, on a disk that is slow, after half
// the time: long enough for the others to compact what it lacks. In the middle of the
// snapshot that it is sent it crashes again.
func (p *play) loseInstalling(ctx context.Context, f Fault) (undo, error) {
	if err := p.cluster.TakeNodeOffline(ctx, f.Node, fault.Crash); err != nil {
		return nil, err
	}
	done := make(chan error)
	waiting, stop := context.WithCancel(ctx)
	go func() { done <- p.crashInstalling(ctx, waiting, f) }()
	return func(ctx context.Context) error {
		stop()
		err := <-done
		p.strike(f.Node, false)
		err = errors.Join(err, p.cluster.SetDisk(ctx, f.Node, fault.Disk{}))
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
	if err := errors.Join(p.cluster.SetDisk(ctx, f.Node, fault.Disk{Slow: f.By}), p.cluster.BringNodeOnline(ctx, f.Node)); err != nil {
		return err
	}
	if installs, err := p.installs(waiting, f); err != nil || !installs {
		return err
	}
	err := p.cluster.TakeNodeOffline(ctx, f.Node, fault.Crash)
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
	return s.Activities.Include(target.ReceivingSnapshot, target.InstallingSnapshot)
}
