package nemesis

import (
	"context"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// lose returns the injection of a fault that takes its node offline in that mode, and brings it back.
func lose(mode fault.Mode, back ...harness.ReturnOption) func(context.Context, *Injection) (Undo, error) {
	return func(ctx context.Context, in *Injection) (Undo, error) {
		return in.takeOffline(ctx, in.fault.Node, mode, back...)
	}
}

func (in *Injection) takeOffline(ctx context.Context, node int, mode fault.Mode, back ...harness.ReturnOption) (Undo, error) {
	if err := in.cluster.TakeNodeOffline(ctx, node, mode); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return in.unlessRemoved(in.cluster.BringNodeOnline(ctx, node, back...), node)
	}, nil
}
