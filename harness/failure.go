package harness

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// oneMode returns the failure mode that was given; Isolate if none was.
func oneMode(modes []fault.Mode) (fault.Mode, error) {
	switch len(modes) {
	case 0:
		return fault.Isolate, nil
	case 1:
		return modes[0], nil
	}
	return "", fmt.Errorf("expected one failure mode, not %d: %v", len(modes), modes)
}

// failing returns how the target makes a node fail in that mode, or an error if it cannot.
func (c *Cluster) failing(mode fault.Mode) (func(ctx context.Context, node int) error, error) {
	starter, starts := target.As[target.Starter](c.cluster)
	pauser, pauses := target.As[target.Pauser](c.cluster)
	switch {
	case mode == fault.Isolate && !c.Can(target.Isolate):
		return nil, &UnsupportedError{target.Isolate}
	case mode == fault.Isolate:
		return c.cluster.Isolate, nil
	case mode == fault.Stop && starts:
		return starter.Stop, nil
	case mode == fault.Stop:
		return nil, &UnsupportedError{target.Stop}
	case mode == fault.Crash && starts:
		return starter.Crash, nil
	case mode == fault.Crash:
		return nil, &UnsupportedError{target.Crash}
	case mode == fault.Pause && pauses:
		return pauser.Pause, nil
	case mode == fault.Pause:
		return nil, &UnsupportedError{target.Pause}
	}
	return nil, fmt.Errorf("unknown failure mode %q: the modes are %s, %s, %s and %s",
		string(mode), fault.Isolate, fault.Stop, fault.Crash, fault.Pause)
}
