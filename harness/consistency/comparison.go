package consistency

import (
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Node is a node whose answer is compared.
type Node interface {
	Index() int
	ID() string
	// Query asks the node for its own state, and does not wait for it to catch up. The
	// error names the node.
	Query(ctx context.Context) (target.Rows, error)
	// Wrap returns the error with the name of the node.
	Wrap(err error) error
}

// Comparison is a query whose answers are to be compared.
type Comparison struct {
	Query string
	Nodes []Node // at least one
	// Ordered tells that the order of the rows is part of the answer.
	Ordered bool
}

// ErrNoNodes is returned by a comparison of no nodes.
var ErrNoNodes = errors.New("no nodes to compare")

// ByValue compares every value of every row.
type ByValue struct{}

// Compare streams all answers at once, and blocks until all are complete or one fails. It
// returns nil if all nodes answer alike, and an *InconsistencyError if two differ. If rows
// without an order differ, the nodes are asked a second time, to name a row.
func (ByValue) Compare(ctx context.Context, c Comparison) (err error) {
	if len(c.Nodes) == 0 {
		return ErrNoNodes
	}
	answers, err := c.open(ctx)
	defer func() { err = closeAll(err, answers) }()
	if err != nil {
		return err
	}
	if c.Ordered {
		return compareInOrder(c.Query, answers)
	}
	differing, err := compareFingerprints(c.Query, answers)
	if err != nil || differing == nil {
		return err
	}
	return c.findDifference(ctx, differing)
}
