package harness

import (
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// UnsettledError says that nodes could not be compared because the data was being
// changed: each comparison found a difference while log entries were being applied.
type UnsettledError struct {
	Query       string
	Comparisons int
	Waited      time.Duration
	Last        error // what the last comparison found
	Err         error // what ended the attempts
}

func (e *UnsettledError) Error() string {
	return fmt.Sprintf("compare %q: the nodes applied log entries during each of %d comparisons in %v, "+
		"so that no difference is proven; the last one was: %v: %v", sqltext.Abridged(e.Query), e.Comparisons, e.Waited, e.Last, e.Err)
}

// Unwrap is what ended the attempts, and not the unproven difference.
func (e *UnsettledError) Unwrap() error { return e.Err }
