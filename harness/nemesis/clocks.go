package nemesis

import (
	"context"
	"time"
)

// setClock sets how far the clock of the fault's node is ahead. The returned function sets it right.
func (in *Injection) setClock(ctx context.Context, ahead time.Duration) (right Undo, err error) {
	node := in.fault.Node
	if err := in.cluster.SetClock(ctx, node, ahead); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return in.unlessRemoved(in.cluster.SetClock(ctx, node, 0), node)
	}, nil
}

// aMinute is the unit of clock faults.
func aMinute(time.Duration) time.Duration { return time.Minute }

// wrongLeader tells whether the cluster made progress while the node with the wrong clock led, before
// or after: only then does its clock decide anything.
func wrongLeader(before, after Evidence) bool {
	return moved(before, after) && (before.Led || after.Led)
}
