package targettest_test

import (
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness/target"
)

// over is a decorated cluster whose nodes are decorated too; nil fields change nothing.
type over struct {
	target.Cluster
	client, inside func(node int, sql target.SQL) target.SQL
	status         func(node int, ctx context.Context, s target.Status, err error) (target.Status, error)
	isolate        func(ctx context.Context, node int) error
	rejoin         func(ctx context.Context, node int) error
}

func (o over) Unwrap() target.Cluster { return o.Cluster }

func (o over) Isolate(ctx context.Context, node int) error {
	if o.isolate != nil {
		return o.isolate(ctx, node)
	}
	return o.Cluster.Isolate(ctx, node)
}

func (o over) Rejoin(ctx context.Context, node int) error {
	if o.rejoin != nil {
		return o.rejoin(ctx, node)
	}
	return o.Cluster.Rejoin(ctx, node)
}

func (o over) Nodes() (nodes []target.Node) {
	for i, n := range o.Cluster.Nodes() {
		nodes = append(nodes, overNode{n, i, o})
	}
	return nodes
}

type overNode struct {
	target.Node
	index int
	over  over
}

func (n overNode) Client() target.SQL {
	if n.over.client != nil {
		return n.over.client(n.index, n.Node.Client())
	}
	return n.Node.Client()
}

func (n overNode) Inside() target.SQL {
	if n.over.inside != nil {
		return n.over.inside(n.index, n.Node.Inside())
	}
	return n.Node.Inside()
}

func (n overNode) Status(ctx context.Context) (target.Status, error) {
	s, err := n.Node.Status(ctx)
	if n.over.status != nil {
		return n.over.status(n.index, ctx, s, err)
	}
	return s, err
}

// asking is SQL as a function.
type asking func(context.Context, target.Request) (target.Rows, error)

func (a asking) Query(ctx context.Context, r target.Request) (target.Rows, error) { return a(ctx, r) }

// both decorates both sides of all nodes.
func both(c target.Cluster, with func(target.SQL) target.SQL) target.Cluster {
	side := func(_ int, sql target.SQL) target.SQL { return with(sql) }
	return over{Cluster: c, client: side, inside: side}
}

// requests changes the requests to all nodes.
func requests(change func(*target.Request)) func(target.Cluster) target.Cluster {
	return func(c target.Cluster) target.Cluster {
		return both(c, func(sql target.SQL) target.SQL {
			return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
				change(&r)
				return sql.Query(ctx, r)
			})
		})
	}
}

// values changes the values of all answers.
func values(change func(any) any) func(target.Cluster) target.Cluster {
	return answers(func(rows target.Rows) target.Rows { return changed{rows, change} })
}

// answers changes the answers of all nodes.
func answers(change func(target.Rows) target.Rows) func(target.Cluster) target.Cluster {
	return func(c target.Cluster) target.Cluster {
		return both(c, func(sql target.SQL) target.SQL {
			return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
				rows, err := sql.Query(ctx, r)
				if err != nil {
					return nil, err
				}
				return change(rows), nil
			})
		})
	}
}

type changed struct {
	target.Rows
	change func(any) any
}

func (r changed) Row() ([]any, error) {
	row, err := r.Rows.Row()
	for i := range row {
		row[i] = r.change(row[i])
	}
	return row, err
}

// errs changes the errors of all nodes.
func errs(change func(*target.Error)) func(target.Cluster) target.Cluster {
	return func(c target.Cluster) target.Cluster {
		return both(c, func(sql target.SQL) target.SQL {
			return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
				rows, err := sql.Query(ctx, r)
				if e := (*target.Error)(nil); errors.As(err, &e) {
					other := *e
					change(&other)
					return nil, &other
				}
				return rows, err
			})
		})
	}
}
