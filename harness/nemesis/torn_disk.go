package nemesis

import (
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// TornDisk makes the next sync durable by half, and blocks it. In the end the node crashes, and comes
// back on what the torn write left.
var TornDisk = Kind{
	Name:   "torn disk",
	Doc:    "crashes a node in the middle of a write",
	Needs:  []target.Ability{target.Crash, target.Disks},
	On:     Disk,
	Claims: ClaimsNode,
	Inject: tearWrite,
	Bit:    moved,
}

func tearWrite(ctx context.Context, in *Injection) (Undo, error) {
	sound, err := in.setDisk(ctx, fault.Disk{Torn: true})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		if err := in.cluster.TakeNodeOffline(ctx, in.fault.Node, fault.Crash); err != nil {
			return err
		}
		return errors.Join(sound(ctx), in.cluster.BringNodeOnline(ctx, in.fault.Node))
	}, nil
}
