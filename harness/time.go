package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ErrRealTime is returned by Advance where time is the world's own and cannot be
// let pass.
var ErrRealTime = errors.New("the target's time is real: it passes only by waiting")

// Advance lets d of the cluster's own time pass; on a target that lives in
// virtual time (target.Clock) it returns at once by the clock on the wall. It
// blocks until the time has passed for every node, or ctx ends. Where time is
// real the error is ErrRealTime, and nothing is waited for.
func (c *Cluster) Advance(ctx context.Context, d time.Duration) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	clock, ok := target.As[target.Clock](c.cluster)
	if !ok {
		return fmt.Errorf("let %v pass: %w", d, ErrRealTime)
	}
	end := c.journal.Begin(journal.Wait, journal.Nobody, "let %v pass", d)
	err = clock.Advance(ctx, d)
	end(err)
	return err
}

// HasClock tells whether the cluster's time can be let pass.
func (c *Cluster) HasClock() bool {
	_, ok := target.As[target.Clock](c.cluster)
	return ok
}
