package nemesis

import "github.com/rejoin-db/rejoin/harness/target"

// CutBothWays drops every message on a link in both directions.
var CutBothWays = Kind{
	Name:   "cut both ways",
	Doc:    "drops every message on a link in both directions",
	Needs:  []target.Ability{target.Links},
	On:     Links,
	Inject: cut,
	Bit:    silent,
}
