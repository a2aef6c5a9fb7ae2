package harness

import (
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// UnsettledError says that nodes could not be compared because the data was being
// changed: each comparison found a difference while nodes applied log entries.
type UnsettledError struct {
	Query       string
	Comparisons int
	Waited      time.Duration
	// Applied is the log index that each node had applied after the last comparison, by the
	// node's index. A node that did not report one is missing.
	Applied map[int]uint64
	Last    error // what the last comparison found
	Err     error // what ended the attempts
}

func newUnsettledError(query string, comparisons int, after []Observation) *UnsettledError {
	e := &UnsettledError{Query: query, Comparisons: comparisons, Applied: make(map[int]uint64)}
	for _, o := range after {
		if o.Err == nil {
			e.Applied[o.Node.index] = o.Status.AppliedIndex
		}
	}
	return e
}

func (e *UnsettledError) Error() string {
	return fmt.Sprintf("compare %q: the nodes applied log entries during each of %d comparisons in %v, so no difference is proven; "+
		"%safter the last one, which found: %v: %v", sqltext.Abridged(e.Query), e.Comparisons, e.Waited, e.behind(), e.Last, e.Err)
}

// behind says which node was furthest behind, if any was.
func (e *UnsettledError) behind() string {
	slowest, highest := -1, uint64(0)
	for node, applied := range e.Applied {
		highest = max(highest, applied)
		if slowest < 0 || applied < e.Applied[slowest] || applied == e.Applied[slowest] && node < slowest {
			slowest = node
		}
	}
	if slowest < 0 || e.Applied[slowest] == highest {
		return "no node was behind "
	}
	return fmt.Sprintf("node %d was %s ", slowest, entriesBehind(highest-e.Applied[slowest]))
}

// Unwrap returns what ended the attempts, and not the unproven difference.
func (e *UnsettledError) Unwrap() error { return e.Err }
