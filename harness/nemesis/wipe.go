package nemesis

import (
	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Wipe crashes a node, which comes back with an empty disk as a new member.
var Wipe = Kind{
	Name:    fault.KindWipe,
	Doc:     "crashes a node, which comes back with an empty disk as a new member",
	Needs:   []target.Ability{target.Crash, target.Members},
	On:      Node,
	Claims:  ClaimsNodeAlone,
	Forgets: true,
	Inject:  lose(fault.Crash, harness.Wiped),
	Bit:     moved,
}
