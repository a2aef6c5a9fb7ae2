package nemesis

import (
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Crash ends a node between two instructions, and starts it again.
var Crash = Kind{
	Name:   fault.KindCrash,
	Doc:    "ends a node between two instructions; it loses what it had not synced",
	Needs:  []target.Ability{target.Crash},
	On:     Node,
	Claims: ClaimsNode,
	Inject: lose(fault.Crash),
	Bit:    moved,
}
