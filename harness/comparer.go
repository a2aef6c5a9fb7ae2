package harness

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Comparison is a query whose answers are to be compared.
type Comparison struct {
	Query string
	Nodes []*Node // at least one
	// Ordered tells that the order of the rows is part of the answer.
	Ordered bool
	// Ask asks a node for its own state, and waits for nothing.
	Ask func(ctx context.Context, node *Node) (target.Rows, error)
}

// Comparer compares what nodes answer.
type Comparer interface {
	// Compare asks the nodes and returns nil if all answer alike, and an
	// *InconsistencyError if two differ. It blocks until all answers are there, or one
	// fails. See Cluster.VerifyDataConsistency for what counts as a difference.
	Compare(ctx context.Context, c Comparison) error
}

// Comparing sets what compares nodes. The default is ByValue.
func Comparing(c Comparer) Option { return func(o *options) { o.comparer = c } }

// ByValue compares every value of every row.
type ByValue struct{}

// Compare streams all answers at once. A difference between rows without an order is
// looked for a second time, to name a row.
func (ByValue) Compare(ctx context.Context, c Comparison) (err error) {
	if len(c.Nodes) == 0 {
		return ErrNoNodesOnline
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
