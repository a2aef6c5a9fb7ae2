package harness

import (
	"context"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Advance lets d of the cluster's own time pass. On a target that lives in virtual time
// (target.Time) that takes no time by the clock on the wall. It blocks until the time has
// passed for every node, or ctx ends. Where time is real the error is an *UnsupportedError,
// and nothing is waited for.
func (c *Cluster) Advance(ctx context.Context, d time.Duration) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	clock, ok := target.As[target.Clock](c.cluster)
	if !ok {
		return fmt.Errorf("let %v pass: %w", d, &UnsupportedError{target.Time})
	}
	end := c.journal.Begin(journal.Wait, journal.None, "let %v pass", d)
	err = clock.Advance(ctx, d)
	end(err)
	return err
}
