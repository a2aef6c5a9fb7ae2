package targettest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fakedb"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
)

// mistake is a mistake in an adapter.
type mistake struct {
	name   string
	check  string // that finds it
	method string // that the check says to look at
	make   func(target.Cluster) target.Cluster
}

// hasty are options for wrong adapters: a check need not wait for long before it gives up.
var hasty = targettest.Options{Patience: time.Second, Silence: 50 * time.Millisecond}

// found tells what a check says of a target.
func found(ctx context.Context, t target.Target, name string) error {
	GinkgoHelper()
	checks := targettest.Checks()
	i := slices.IndexFunc(checks, func(c targettest.Check) bool { return c.Name == name })
	Expect(i).To(BeNumerically(">=", 0), "there is no check %q", name)
	return targettest.Try(ctx, t, checks[i], hasty)
}

var _ = Describe("An adapter with a mistake", func() {
	names := make(map[string]bool)
	for _, m := range slices.Concat(ofSides(), ofAnswers(), ofFaults(), ofAbilities()) {
		It(m.name+" is found", func(ctx SpecContext) {
			Expect(names).NotTo(HaveKey(m.name))
			names[m.name] = true
			wrong := target.Decorate(&fakedb.Target{}, func(c target.Cluster) (target.Cluster, error) { return m.make(c), nil })
			err := found(ctx, wrong, m.check)
			var violation *targettest.Violation
			Expect(errors.As(err, &violation)).To(BeTrue(), "%v", err)
			Expect(violation.Method).To(ContainSubstring(m.method), "%v", err)
			AddReportEntry("found", err.Error(), ReportEntryVisibilityFailureOrVerbose)
		}, SpecTimeout(time.Minute))
	}

	It("in its boot or its end is found", func(ctx SpecContext) {
		for check, t := range map[string]target.Target{
			"boots two clusters that do not see each other":        &single{},
			"refuses to boot a cluster without nodes":              atLeastOne{&fakedb.Target{}},
			"leaves nothing of a boot whose context has ended":     stubborn{&fakedb.Target{}, release(ctx)},
			"closes in the middle of requests, and leaves nothing": leaking(release(ctx)),
			"closes twice": closing(),
		} {
			var violation *targettest.Violation
			err := found(ctx, t, check)
			Expect(errors.As(err, &violation)).To(BeTrue(), "%s: %v", check, err)
		}
	}, SpecTimeout(time.Minute))

	It("in the size of its clusters is found", func(ctx SpecContext) {
		err := found(ctx, sized{&fakedb.Target{}}, "keeps values exact")
		Expect(err).To(MatchError("a cluster of 3 nodes was asked for, and has 4 (look at Cluster.Nodes)"))
	}, SpecTimeout(time.Minute))
})

var _ = Describe("A check", func() {
	It("has a name of its own, which completes a sentence", func() {
		names := make(map[string]bool)
		for _, c := range targettest.Checks() {
			Expect(c.Name).To(MatchRegexp(`^[a-z]+s [a-z].*[a-z]$`))
			Expect(names).NotTo(HaveKey(c.Name))
			names[c.Name] = true
		}
		Expect(len(names)).To(BeNumerically(">", 40))
	})

	It("is skipped with a sentence if the target lacks the ability, or the cluster is too small", func(ctx SpecContext) {
		plain := target.Decorate(&fakedb.Target{}, func(c target.Cluster) (target.Cluster, error) { return struct{ target.Cluster }{c}, nil })
		skipped := 0
		for _, c := range targettest.Checks() {
			if len(c.Needs) > 0 {
				skipped++
				Expect(targettest.Try(ctx, plain, c, hasty)).To(MatchError(HavePrefix("the target cannot ")), c.Name)
			}
		}
		Expect(skipped).To(BeNumerically(">", 20))
		small := hasty
		small.Nodes = 1
		for _, c := range targettest.Checks() {
			err := targettest.Try(ctx, &fakedb.Target{}, c, small)
			if c.Nodes > 1 {
				Expect(err).To(MatchError(fmt.Sprintf("the check needs %d nodes, and the cluster has 1", c.Nodes)))
			} else {
				Expect(err).To(Or(BeNil(), BeAssignableToTypeOf(&targettest.Skipped{})), c.Name)
			}
		}
	}, SpecTimeout(time.Minute))
})

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

// noRule is no fault.
var noRule = fault.Rule{}
