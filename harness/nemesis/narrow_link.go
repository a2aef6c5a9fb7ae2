package nemesis

import (
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// NarrowLink limits a link to 2,000 bytes a second.
var NarrowLink = Kind{
	Name:   "narrow link",
	Doc:    "limits a link to 2,000 bytes a second",
	Needs:  []target.Ability{target.Links},
	On:     Link,
	Rule:   func(fault.Fault) fault.Rule { return fault.Rule{Bandwidth: 2000} },
	Inject: rule,
	Bit:    passed,
}
