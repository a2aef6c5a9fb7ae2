package nemesis

import (
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Stop shuts a node down gracefully, and starts it again.
var Stop = Kind{
	Name:   fault.KindStop,
	Doc:    "shuts a node down gracefully",
	Needs:  []target.Ability{target.Stop},
	On:     Node,
	Claims: ClaimsNode,
	Inject: lose(fault.Stop),
	Bit:    moved,
}
