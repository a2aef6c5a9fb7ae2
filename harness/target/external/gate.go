package external

import (
	"context"
	"errors"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// errCut ends the requests of clients of a node that is cut off.
var errCut = errors.New("the node is cut off from its clients")

// gate is the links between the clients and a node: open, or cut.
type gate struct {
	node string
	sql  target.SQL

	mu   sync.Mutex
	open context.Context // ends when the gate is shut
	shut context.CancelCauseFunc
}

func newGate(node string, sql target.SQL) *gate {
	g := &gate{node: node, sql: sql}
	g.set(true)
	return g
}

// set opens or shuts the gate. To shut it ends all requests under way.
func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !open {
		g.shut(errCut)
		return
	}
	if g.open == nil || g.open.Err() != nil {
		g.open, g.shut = context.WithCancelCause(context.Background())
	}
}

// Query passes a request on while the gate is open.
func (g *gate) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	if open.Err() != nil {
		return nil, &target.Error{Node: g.node, Code: "UNREACHABLE", Message: errCut.Error(), Outcome: target.NotApplied,
			Kind: target.ErrUnreachable, Temporary: true, Cause: errCut}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(open, func() { cancel(errCut) })
	end := func() { stop(); cancel(nil) }
	rows, err := g.sql.Query(ctx, request)
	if err != nil {
		end()
		return nil, err
	}
	return &gated{rows, end}, nil
}

// gated ends a request with its rows.
type gated struct {
	target.Rows
	end func()
}

func (r *gated) Close() error {
	defer r.end()
	return r.Rows.Close()
}
