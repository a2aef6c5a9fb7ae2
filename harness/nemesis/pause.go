package nemesis

import (
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Pause freezes a node, with its sockets open.
var Pause = Kind{
	Name:   fault.KindPause,
	Doc:    "freezes a node, with its sockets open",
	Needs:  []target.Ability{target.Pause},
	On:     Node,
	Claims: ClaimsNode,
	Inject: lose(fault.Pause),
	Bit:    moved,
}
