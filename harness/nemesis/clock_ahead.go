package nemesis

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ClockAhead sets the clock of a node ahead by By.
var ClockAhead = Kind{
	Name:        "clock ahead",
	Doc:         "sets the clock of a node ahead",
	Needs:       []target.Ability{target.Clocks},
	On:          Clock,
	KeepsQuorum: true,
	Unit:        aMinute,
	Inject:      func(ctx context.Context, in *Injection) (Undo, error) { return in.setClock(ctx, in.fault.By) },
	Bit:         wrongLeader,
}
