package nemesis

import (
	"context"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// setDisk makes the disk of the fault's node bad. The returned function makes it sound.
func (in *Injection) setDisk(ctx context.Context, faults fault.Disk) (sound Undo, err error) {
	if err := in.cluster.SetDisk(ctx, in.fault.Node, faults); err != nil {
		return nil, err
	}
	in.choose(func(f *fault.Fault) { f.Disk = &faults })
	return func(ctx context.Context) error { return in.cluster.SetDisk(ctx, in.fault.Node, fault.Disk{}) }, nil
}

// untilWiped returns the injection of disk faults that end with a crash of the node. It comes back with an
// empty disk, as a new member: what it has on its disk is not what it promised to keep.
func untilWiped(faults fault.Disk) func(context.Context, *Injection) (Undo, error) {
	return func(ctx context.Context, in *Injection) (Undo, error) {
		if _, err := in.setDisk(ctx, faults); err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			if err := in.cluster.TakeNodeOffline(ctx, in.fault.Node, fault.Crash); err != nil {
				return err
			}
			return in.cluster.BringNodeOnline(ctx, in.fault.Node, harness.Wiped)
		}, nil
	}
}
