package harness_test

import (
	"context"
	"reflect"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

// atOnce bounds what should take no time, on a busy machine.
const atOnce = 2 * time.Second

var _ = Describe("After Close", func() {
	var c *harness.Cluster
	var node *harness.Node

	BeforeEach(func(ctx SpecContext) {
		c, _ = boot()
		var err error
		node, err = c.Node(1)
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Close()).To(Succeed())
	})

	// silent are the methods without an error, and what they return for a closed cluster. A fact
	// stays true.
	type fact struct{}
	silent := map[string]any{
		"Cluster.Can": fact{}, "Cluster.Claims": fact{}, "Cluster.Isolations": fact{}, "Cluster.Seed": fact{}, "Cluster.Journal": fact{},
		"Cluster.Reading": fact{}, "Cluster.Wordless": fact{}, "Cluster.AsIs": fact{}, "Cluster.Holds": fact{}, "Cluster.Messages": fact{},
		"Cluster.Faults": harness.Faults{}, "Cluster.Observe": []harness.Observation{}, "Cluster.Peek": []harness.Observation{},
		"Cluster.Lost":  fault.Mode(""),
		"Cluster.Nodes": []*harness.Node(nil), "Cluster.OnlineNodes": []*harness.Node(nil), "Cluster.Size": 0, "Cluster.Quorum": 0,
		"Node.AsIs": fact{}, "Node.Cluster": fact{}, "Node.ID": fact{}, "Node.Index": fact{}, "Node.Inside": fact{}, "Node.Reading": fact{},
		"Node.String": fact{},
		"Node.Votes":  false, "Cluster.Token": "",
	}

	// arguments are valid arguments of the method.
	arguments := func(ctx context.Context, method reflect.Type) (in []reflect.Value) {
		count := method.NumIn()
		if method.IsVariadic() {
			count--
		}
		for i := range count {
			switch t := method.In(i); {
			case t == reflect.TypeFor[context.Context]():
				in = append(in, reflect.ValueOf(ctx))
			case t.Kind() == reflect.Int:
				in = append(in, reflect.ValueOf(i%2).Convert(t))
			case t == reflect.TypeFor[string]():
				in = append(in, reflect.ValueOf("SELECT 1"))
			case t == reflect.TypeFor[time.Duration]():
				in = append(in, reflect.ValueOf(time.Second))
			default:
				in = append(in, reflect.Zero(t))
			}
		}
		return in
	}

	It("every method fails at once with ErrClosed, or returns an empty value", func(ctx SpecContext) {
		events := len(c.Journal().Events())
		seen := make(map[string]bool)
		for kind, receiver := range map[string]any{"Cluster": c, "Node": node} {
			value := reflect.ValueOf(receiver)
			for i := range value.NumMethod() {
				name := kind + "." + value.Type().Method(i).Name
				method := value.Method(i)
				begun := time.Now()
				out := method.Call(arguments(ctx, method.Type()))
				Expect(time.Since(begun)).To(BeNumerically("<", atOnce), name)
				seen[name] = true
				last := out[len(out)-1]
				switch {
				case name == "Cluster.Close", name == "Cluster.Release":
					Expect(last.IsNil()).To(BeTrue(), "closing twice is no error")
				case last.Type() == reflect.TypeFor[error]():
					err, _ := last.Interface().(error)
					Expect(err).To(MatchError(harness.ErrClosed), name)
					Expect(target.OutcomeOf(err)).NotTo(Equal(target.Applied), name)
				default:
					want, known := silent[name]
					Expect(known).To(BeTrue(), "%s returns no error: what does it return after Close?", name)
					if faults, are := out[0].Interface().(harness.Faults); are {
						Expect(faults.Lines()).To(BeEmpty())
					} else if want != (fact{}) {
						Expect(out[0].Interface()).To(Equal(want), name)
					}
				}
			}
		}
		Expect(len(seen)).To(BeNumerically(">", 50))
		for name := range silent {
			Expect(seen).To(HaveKey(name))
		}
		Expect(len(c.Journal().Events())-events).To(BeNumerically("<", 5), "the journal was flooded")
	}, patience)

	It("knows that a request was not applied", func(ctx SpecContext) {
		_, err := node.Execute(ctx, "INSERT")
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		_, err = c.ExecuteWithRetry(ctx, "INSERT")
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		_, err = c.Reading(target.Local).AsIs().ExecuteOnRandom(ctx, "SELECT 1")
		Expect(err).To(MatchError(harness.ErrClosed))
	}, patience)
})

var _ = Describe("Close", func() {
	var c *harness.Cluster
	var f *fake.Cluster
	busy := func(context.Context, target.Request) error {
		return &target.Error{Node: "n", Code: "BUSY", Message: "try later", Outcome: target.NotApplied, Temporary: true}
	}
	hangs := func(ctx context.Context) error {
		<-ctx.Done()
		return &target.Error{Node: "n", Code: "GONE", Message: "no answer", Outcome: target.Unknown, Temporary: true, Cause: ctx.Err()}
	}

	DescribeTable("ends calls in progress at once", func(ctx SpecContext, do func(ctx context.Context) error) {
		c, f = boot()
		for i := range 3 {
			f.Node(i).OnQuery(busy)
		}
		f.OnRejoin = func(ctx context.Context, _ int) error { return hangs(ctx) }
		Expect(c.TakeNodeOffline(ctx, 2)).To(Succeed())
		done := make(chan error, 1)
		go func() { done <- do(ctx) }()
		Consistently(done, 30*time.Millisecond).ShouldNot(Receive())
		events := len(c.Journal().Events())
		var wg sync.WaitGroup
		for range 3 { // several at once
			wg.Go(func() {
				defer GinkgoRecover()
				Expect(c.Close()).To(Succeed())
			})
		}
		wg.Wait()
		var err error
		Eventually(done).WithTimeout(atOnce).Should(Receive(&err))
		Expect(err).To(MatchError(harness.ErrClosed))
		Expect(len(c.Journal().Events())-events).To(BeNumerically("<", 10), "the journal was flooded")
	},
		Entry("a request that retries", func(ctx context.Context) error {
			_, err := c.ExecuteWithRetry(ctx, "INSERT")
			return err
		}),
		Entry("a request to one node that retries", func(ctx context.Context) error {
			node, err := c.Node(0)
			if err == nil {
				_, err = node.ExecuteWithRetry(ctx, "INSERT")
			}
			return err
		}),
		Entry("a wait for a node", func(ctx context.Context) error { return c.WaitForNodeOnline(ctx, 2) }),
		Entry("a wait for all nodes", func(ctx context.Context) error { return c.WaitForAllOnline(ctx) }),
		Entry("a node that is brought back", func(ctx context.Context) error { return c.BringNodeOnline(ctx, 2) }),
		Entry("a cluster that is healed", func(ctx context.Context) error { return c.Heal(ctx) }),
	)

	It("leaves the outcome of a request unknown if it may have been applied", func(ctx SpecContext) {
		c, f = boot()
		asked := make(chan struct{}, 10)
		for i := range 3 {
			f.Node(i).OnQuery(func(ctx context.Context, _ target.Request) error {
				asked <- struct{}{}
				return hangs(ctx)
			})
		}
		done := make(chan error, 1)
		go func() { _, err := c.ExecuteWithRetry(ctx, "INSERT"); done <- err }()
		Eventually(asked).Should(Receive())
		Expect(c.Close()).To(Succeed())
		var err error
		Eventually(done).WithTimeout(atOnce).Should(Receive(&err))
		Expect(err).To(MatchError(harness.ErrClosed))
		Expect(target.OutcomeOf(err)).To(Equal(target.Unknown))
	}, patience)
})

var _ = Describe("Boot", func() {
	DescribeTable("rejects invalid arguments", func(ctx SpecContext, t target.Target, options []harness.Option, message string) {
		c, err := harness.Boot(ctx, t, options...)
		Expect(c).To(BeNil())
		Expect(err).To(MatchError(ContainSubstring(message)))
	},
		Entry("no target", nil, nil, "boot: no target given"),
		Entry("a nil option", &fake.Target{}, []harness.Option{harness.Size(3), nil}, "boot: option 2 is nil"),
		Entry("no nodes", &fake.Target{}, []harness.Option{harness.Size(0)}, "cluster size 0: must be at least 1"),
		Entry("a negative size", &fake.Target{}, []harness.Option{harness.Size(-1)}, "cluster size -1: must be at least 1"),
		Entry("no router", &fake.Target{}, []harness.Option{harness.Routing(nil)}, "boot: Routing was given no function"),
		Entry("no cluster", nothing{}, nil, "booted no cluster, and returned no error"),
	)
})

// nothing is a target that returns neither a cluster nor an error.
type nothing struct{}

func (nothing) Boot(context.Context, int) (target.Cluster, error) { return nil, nil }
