package nemesis

import (
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Isolate cuts all links of a node, to nodes and clients. The node keeps running.
var Isolate = Kind{
	Name:   fault.KindIsolate,
	Doc:    "cuts all links of a node, which keeps running alone",
	Needs:  []target.Ability{target.Isolate},
	On:     Node,
	Claims: ClaimsNode,
	Inject: lose(fault.Isolate),
	Bit:    moved,
}
