package nemesis

import (
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// SlowLink delays every message on a link by By, and by half of it more at random.
var SlowLink = Kind{
	Name:   "slow link",
	Doc:    "delays every message on a link",
	Needs:  []target.Ability{target.Links},
	On:     Link,
	Unit:   partOfPace,
	Rule:   func(f fault.Fault) fault.Rule { return fault.Rule{Latency: f.By, Jitter: f.By / 2} },
	Inject: rule,
	Bit:    passed,
}
