package nemesis

import (
	"context"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// FlappingLink cuts a link in both directions and mends it, again and again: By is the period.
var FlappingLink = Kind{
	Name:   fault.KindFlap,
	Doc:    "cuts a link in both directions and mends it, again and again",
	Needs:  []target.Ability{target.Links},
	On:     Links,
	Unit:   halfOfPace,
	Check:  checkPeriod,
	Inject: flap,
	Bit:    func(before, _ Evidence) bool { return before.Links.Messages > 0 },
}

func checkPeriod(f fault.Fault) error {
	if f.By < time.Millisecond {
		return fmt.Errorf("the period %v must be at least 1ms", f.By)
	}
	return nil
}

func flap(ctx context.Context, in *Injection) (Undo, error) {
	links := in.fault.Links
	stop, err := in.cluster.Flapping(ctx, in.fault.By, links...)
	if err != nil {
		return nil, err
	}
	return func(context.Context) error { return in.unlessRemoved(stop(), links[0].From, links[0].To) }, nil
}
