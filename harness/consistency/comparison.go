package consistency

import (
	"context"
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Node is a node whose answer is compared.
type Node interface {
	fmt.Stringer // as in "node 0 (n0)"
	// Query asks the node for its own state, and waits for nothing. The error says
	// which node it is of.
	Query(ctx context.Context) (target.Rows, error)
	// Wrap says in an error which node it is of.
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

// Compare streams all answers at once. It blocks until all are there, or one fails. It
// returns nil if all nodes answer alike, and an *InconsistencyError if two differ. A
// difference between rows without an order is looked for a second time, to name a row.
func (ByValue) Compare(ctx context.Context, c Comparison) (err error) {
	if len(c.Nodes) == 0 {
		return ErrNoNodes
	}
	answers, err := c.open(ctx)
	defer func() { err = closing(err, answers) }()
	if err != nil {
		return err
	}
	if c.Ordered {
		return compareInOrder(c.Query, answers)
	}
	equal, suspects, err := compareAsBags(c.Query, answers)
	if err != nil || equal {
		return err
	}
	return c.findDifference(ctx, suspects)
}
