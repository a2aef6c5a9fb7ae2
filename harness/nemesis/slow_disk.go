package nemesis

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// SlowDisk makes every sync of a node's disk take By longer.
var SlowDisk = Kind{
	Name:   "slow disk",
	Doc:    "makes every sync of a disk take longer",
	Needs:  []target.Ability{target.Disks},
	On:     Disk,
	Claims: ClaimsNode,
	Unit:   partOfPace,
	Inject: func(ctx context.Context, in *Injection) (Undo, error) {
		return in.setDisk(ctx, fault.Disk{Slow: in.fault.By})
	},
	Bit: func(before, after Evidence) bool { return after.Applied > before.Applied },
}
