package nemesis

import "github.com/rejoin-db/rejoin/harness/target"

// CutOneWay drops every message on a link in one direction.
var CutOneWay = Kind{
	Name:   "cut one way",
	Doc:    "drops every message on a link in one direction",
	Needs:  []target.Ability{target.Links},
	On:     Link,
	Inject: cut,
	Bit:    silent,
}
