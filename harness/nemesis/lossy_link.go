package nemesis

import (
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// LossyLink loses one message of five on a link, which is sent again later.
var LossyLink = Kind{
	Name:   "lossy link",
	Doc:    "loses one message of five on a link",
	Needs:  []target.Ability{target.Links},
	On:     Link,
	Rule:   func(fault.Fault) fault.Rule { return fault.Rule{Loss: 0.2} },
	Inject: rule,
	Bit:    func(before, after Evidence) bool { return after.Links.Lost > before.Links.Lost },
}
