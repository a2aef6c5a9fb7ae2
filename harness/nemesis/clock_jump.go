package nemesis

import (
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ClockJump sets the clock of a node ahead by By, and behind by as much after half of the fault's time.
var ClockJump = Kind{
	Name:        "clock jump",
	Doc:         "sets the clock of a node ahead, and then behind",
	Needs:       []target.Ability{target.Clocks},
	On:          Clock,
	KeepsQuorum: true,
	Unit:        aMinute,
	Inject:      jump,
	Bit:         wrongLeader,
}

func jump(ctx context.Context, in *Injection) (Undo, error) {
	right, err := in.setClock(ctx, in.fault.By)
	if err != nil {
		return nil, err
	}
	end := in.later(ctx, func(ctx, _ context.Context) error {
		_, err := in.setClock(ctx, -in.fault.By)
		return in.unlessRemoved(err, in.fault.Node)
	})
	return func(ctx context.Context) error { return errors.Join(end(), right(ctx)) }, nil
}
