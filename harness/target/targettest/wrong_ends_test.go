package targettest_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness/internal/fakedb"
	"github.com/rejoin-db/rejoin/harness/target"
)

// release returns a channel that is closed at the end of the spec, for what a wrong adapter leaves.
func release(context.Context) chan struct{} {
	end := make(chan struct{})
	DeferCleanup(func() { close(end) })
	return end
}

// single boots one cluster only.
type single struct{ booted target.Cluster }

func (s *single) Boot(ctx context.Context, size int) (target.Cluster, error) {
	if s.booted != nil {
		return s.booted, nil
	}
	var err error
	s.booted, err = (&fakedb.Target{}).Boot(ctx, size)
	return s.booted, err
}

// atLeastOne boots a node where none is asked for.
type atLeastOne struct{ target.Target }

func (a atLeastOne) Boot(ctx context.Context, size int) (target.Cluster, error) {
	return a.Target.Boot(ctx, max(size, 1))
}

// sized boots a node too many.
type sized struct{ target.Target }

func (s sized) Boot(ctx context.Context, size int) (target.Cluster, error) {
	return s.Target.Boot(ctx, size+1)
}

// stubborn goes on with a boot in the background after its context has ended.
type stubborn struct {
	target.Target
	end chan struct{}
}

func (s stubborn) Boot(ctx context.Context, size int) (target.Cluster, error) {
	if ctx.Err() != nil {
		go func() { <-s.end }()
	}
	return s.Target.Boot(ctx, size)
}

// leaking leaves a goroutine for each cluster that is closed.
func leaking(end chan struct{}) target.Target {
	return target.Decorate(&fakedb.Target{}, func(c target.Cluster) (target.Cluster, error) {
		return ends{c, func() error {
			go func() { <-end }()
			return c.Close()
		}}, nil
	})
}

// closing fails to close a cluster again.
func closing() target.Target {
	return target.Decorate(&fakedb.Target{}, func(c target.Cluster) (target.Cluster, error) {
		closed := make(chan struct{})
		return ends{c, func() error {
			close(closed) // panics the second time
			return c.Close()
		}}, nil
	})
}

type ends struct {
	target.Cluster
	end func() error
}

func (e ends) Unwrap() target.Cluster { return e.Cluster }
func (e ends) Close() error           { return e.end() }
