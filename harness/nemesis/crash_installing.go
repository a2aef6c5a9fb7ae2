package nemesis

import (
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// CrashInstalling crashes a node, and crashes it again in the middle of the snapshot that brings it up
// to date. In between the node is offline for half of the fault's time, so that the others compact what
// it lacks. Its syncs take By longer then, so that the snapshot takes a while.
var CrashInstalling = Kind{
	Name:   "crash while installing",
	Doc:    "crashes a node, and again in the middle of the snapshot that it is sent",
	Needs:  []target.Ability{target.Crash, target.Disks},
	On:     Node,
	Claims: ClaimsNode,
	Unit:   halfOfPace,
	Inject: crashTwice,
	Bit:    func(_, after Evidence) bool { return after.Struck },
}

func crashTwice(ctx context.Context, in *Injection) (Undo, error) {
	node := in.fault.Node
	if err := in.cluster.TakeNodeOffline(ctx, node, fault.Crash); err != nil {
		return nil, err
	}
	end := in.later(ctx, in.crashInstalling)
	return func(ctx context.Context) error {
		err := errors.Join(end(), in.cluster.SetDisk(ctx, node, fault.Disk{}))
		if _, lost := in.cluster.Lost(node); lost {
			err = errors.Join(err, in.cluster.BringNodeOnline(ctx, node))
		}
		return err
	}, nil
}

// crashInstalling brings the node back on a slow disk, and crashes it once it installs a snapshot.
func (in *Injection) crashInstalling(ctx, waiting context.Context) error {
	node := in.fault.Node
	_, err := in.setDisk(ctx, fault.Disk{Slow: in.fault.By})
	if err := errors.Join(err, in.cluster.BringNodeOnline(ctx, node)); err != nil {
		return err
	}
	if installs, err := in.awaitInstalling(waiting); err != nil || !installs {
		return err
	}
	err = in.cluster.TakeNodeOffline(ctx, node, fault.Crash)
	in.struck.Store(err == nil)
	return err
}

// awaitInstalling tells whether the node shows twice that it installs a snapshot before ctx ends. A node
// that cannot be asked is asked again.
func (in *Injection) awaitInstalling(ctx context.Context) (bool, error) {
	node, err := in.cluster.Node(in.fault.Node)
	if err != nil {
		return false, err
	}
	for seen := 0; seen < 2; {
		if status, err := node.Status(ctx); err == nil && Installing(status) {
			seen++
		}
		if !wait(ctx, in.fault.By/4) {
			return false, nil
		}
	}
	return true, nil
}
