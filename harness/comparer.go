package harness

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/consistency"
	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Comparer compares what nodes answer.
type Comparer interface {
	// Compare asks the nodes and returns nil if all answer alike, and an
	// *InconsistencyError if two differ. It blocks until all answers are there, or one
	// fails. See Cluster.VerifyDataConsistency for what counts as a difference.
	Compare(ctx context.Context, c consistency.Comparison) error
}

// Comparing sets what compares nodes. The default is consistency.ByValue.
func Comparing(c Comparer) Option { return func(o *options) { o.comparer = c } }

// InconsistencyError says where the answers of two nodes differ.
type InconsistencyError = consistency.InconsistencyError

// comparison is the query as nodes are asked for it: each for its own state, as it is.
func comparison(nodes []*Node, query string, args []any) consistency.Comparison {
	c := consistency.Comparison{Query: query, Ordered: sqltext.Ordered(query)}
	for _, node := range nodes {
		c.Nodes = append(c.Nodes, compared{node.Reading(target.Local).AsIs(), query, args})
	}
	return c
}

// compared is a node that is asked the query of a comparison.
type compared struct {
	*Node
	query string
	args  []any
}

func (n compared) Query(ctx context.Context) (target.Rows, error) {
	return n.Node.Query(ctx, n.query, n.args...)
}

func (n compared) Wrap(err error) error { return n.failed("compare", err) }
