package nemesis

import (
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// FullDisk makes a disk run out of space. In the end the node crashes, and comes back with an empty
// disk.
var FullDisk = Kind{
	Name:    "full disk",
	Doc:     "makes a disk run out of space; the node comes back with an empty disk as a new member",
	Needs:   []target.Ability{target.Crash, target.Disks, target.Members},
	On:      Disk,
	Claims:  ClaimsNodeAlone,
	Forgets: true,
	Inject:  untilWiped(fault.Disk{Full: true}),
	Bit:     moved,
}
