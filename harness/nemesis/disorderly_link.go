package nemesis

import (
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// DisorderlyLink delivers one packet of five on a link twice, and one of five after the packet that follows it.
var DisorderlyLink = Kind{
	Name:   "disorderly link",
	Doc:    "delivers one packet of five on a link twice, and one of five late",
	Needs:  []target.Ability{target.Links, target.Packets},
	On:     Link,
	Rule:   func(fault.Fault) fault.Rule { return fault.Rule{Duplicate: 0.2, Reorder: 0.2} },
	Inject: rule,
	Bit: func(before, after Evidence) bool {
		return after.Links.Duplicates > before.Links.Duplicates || after.Links.Reordered > before.Links.Reordered
	},
}
