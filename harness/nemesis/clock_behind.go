package nemesis

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ClockBehind sets the clock of a node behind by By.
var ClockBehind = Kind{
	Name:        "clock behind",
	Doc:         "sets the clock of a node behind",
	Needs:       []target.Ability{target.Clocks},
	On:          Clock,
	KeepsQuorum: true,
	Unit:        aMinute,
	Inject:      func(ctx context.Context, in *Injection) (Undo, error) { return in.setClock(ctx, -in.fault.By) },
	Bit:         wrongLeader,
}
