package nemesis

import (
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// LyingDisk reports syncs as done although nothing is durable. In the end the node crashes, and comes
// back with an empty disk.
var LyingDisk = Kind{
	Name:    "lying disk",
	Doc:     "reports syncs as done that are not; the node comes back with an empty disk as a new member",
	Needs:   []target.Ability{target.Crash, target.Disks, target.Members},
	On:      Disk,
	Claims:  ClaimsNodeAlone,
	Forgets: true,
	Inject:  untilWiped(fault.Disk{Lying: true}),
	Bit:     moved,
}
