package nemesis_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/nemesis"
)

// onFake runs the body with a fake cluster of three nodes, in a bubble.
func onFake(t *fake.Target, body func(ctx context.Context, c *harness.Cluster, n *nemesis.Nemesis)) {
	GinkgoHelper()
	synctest.Test(new(testing.T), func(*testing.T) {
		defer GinkgoRecover()
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		c, err := harness.Boot(ctx, t)
		Expect(err).NotTo(HaveOccurred())
		defer func() { Expect(c.Close()).To(Succeed()) }()
		body(ctx, c, nemesis.New(c, time.Second))
	})
}

// inject injects a fault that lasts a minute.
func inject(ctx context.Context, n *nemesis.Nemesis, f fault.Fault) *nemesis.Injection {
	GinkgoHelper()
	in, err := n.Inject(ctx, f, time.Minute)
	Expect(err).NotTo(HaveOccurred())
	return in
}

func undo(ctx context.Context, in *nemesis.Injection) {
	GinkgoHelper()
	_, err := in.Undo(ctx)
	Expect(err).NotTo(HaveOccurred())
}

var _ = Describe("A nemesis", func() {
	for _, k := range nemesis.All() {
		It("undoes what it injects: "+string(k.Name), func() {
			onFake(&fake.Target{}, func(ctx context.Context, c *harness.Cluster, n *nemesis.Nemesis) {
				for seed := range uint64(5) {
					f := k.Draw(rand.New(rand.NewPCG(seed, 0)), nemesis.Scale{Nodes: 3, Pace: time.Second})
					if _, err := c.Node(max(f.Node, 0)); err != nil {
						continue // it was removed
					}
					in := inject(ctx, n, f)
					Expect(n.InForce()).To(HaveExactElements(HaveField("Kind", k.Name)))
					Expect(n.AnyInForce(func(other nemesis.Kind) bool { return other.Name == k.Name })).To(BeTrue())
					time.Sleep(time.Duration(seed) * 20 * time.Second) // before, in and after the second step
					undo(ctx, in)
					Expect(n.InForce()).To(BeEmpty())
					Expect(c.Faults().Lines()).To(BeEmpty())
					Expect(c.OnlineNodes()).To(HaveLen(3))
				}
			})
		})
	}

	It("says which node, links, rule and disk faults a fault has", func() {
		onFake(&fake.Target{}, func(ctx context.Context, _ *harness.Cluster, n *nemesis.Nemesis) {
			chosen := func(f fault.Fault) fault.Fault {
				in := inject(ctx, n, f)
				defer undo(ctx, in)
				return in.Fault()
			}
			Expect(chosen(fault.Fault{Kind: "partition", Groups: [][]int{{1}, {0}}})).To(And(
				HaveField("Groups", [][]int{{1}, {0, 2}}), HaveField("Links", fault.Partition([]int{1}, []int{0, 2}))))
			Expect(chosen(fault.Fault{Kind: "isolate the leader"})).To(And(HaveField("Node", 0), HaveField("Links", fault.Around(0, []int{1, 2}))))
			Expect(chosen(fault.Fault{Kind: "full disk", Node: 1}).Disk).To(Equal(&fault.Disk{Full: true}))
			link := []fault.Link{{From: 0, To: 1}}
			Expect(chosen(fault.Fault{Kind: "slow link", Links: link, By: 2}).Rule).To(Equal(&fault.Rule{Latency: 2, Jitter: 1}))
			Expect(chosen(fault.Fault{Kind: "slow link", Links: link, Rule: &fault.Rule{Latency: 9}}).Rule).To(Equal(&fault.Rule{Latency: 9}))
			Expect(chosen(fault.Fault{Kind: "add a node"}).Node).To(Equal(3))
		})
	})

	DescribeTable("keeps faults out of each other's way", func(first, second fault.Fault, free bool) {
		onFake(&fake.Target{}, func(ctx context.Context, _ *harness.Cluster, n *nemesis.Nemesis) {
			in := inject(ctx, n, first)
			if free {
				undo(ctx, inject(ctx, n, second))
			} else {
				_, err := n.Inject(ctx, second, time.Minute)
				Expect(err).To(MatchError(nemesis.ErrInTheWay))
			}
			undo(ctx, in)
			undo(ctx, inject(ctx, n, second))
		})
	},
		Entry("of one node", fault.Fault{Kind: "crash", Node: 1}, fault.Fault{Kind: "stop", Node: 1}, false),
		Entry("of two nodes", fault.Fault{Kind: "crash", Node: 1}, fault.Fault{Kind: "stop", Node: 2}, true),
		Entry("of a node and its disk", fault.Fault{Kind: "crash", Node: 1}, fault.Fault{Kind: "slow disk", Node: 1}, false),
		Entry("of a node and its link", fault.Fault{Kind: "crash", Node: 1},
			fault.Fault{Kind: "cut one way", Links: []fault.Link{{From: 0, To: 1}}}, true),
		Entry("of a node and its clock", fault.Fault{Kind: "crash", Node: 1}, fault.Fault{Kind: "clock ahead", Node: 1, By: 1}, true),
		Entry("of a node that forgets, which comes second", fault.Fault{Kind: "crash", Node: 1}, fault.Fault{Kind: "wipe", Node: 2}, false),
		Entry("of a node that forgets, which comes first", fault.Fault{Kind: "wipe", Node: 1}, fault.Fault{Kind: "crash", Node: 2}, true),
		Entry("of two nodes that forget", fault.Fault{Kind: "wipe", Node: 1}, fault.Fault{Kind: "lying disk", Node: 2}, false),
		Entry("of all nodes", fault.Fault{Kind: "crash all"}, fault.Fault{Kind: "stop", Node: 2}, false),
		Entry("of all nodes, which comes second", fault.Fault{Kind: "stop", Node: 2}, fault.Fault{Kind: "crash all"}, false),
	)

	It("does not touch a node that was removed", func() {
		onFake(&fake.Target{}, func(ctx context.Context, c *harness.Cluster, n *nemesis.Nemesis) {
			Expect(c.RemoveNode(ctx, 2)).To(Succeed())
			for _, f := range []fault.Fault{
				{Kind: "crash", Node: 2}, {Kind: "clock behind", Node: 2, By: 1}, {Kind: "slow link", Links: []fault.Link{{From: 2, To: 0}}},
			} {
				_, err := n.Inject(ctx, f, time.Minute)
				Expect(err).To(MatchError(nemesis.ErrInTheWay), f.String())
			}
		})
	})

	It("refuses a fault that is invalid, or that the target does not support", func() {
		onFake(&fake.Target{Plain: true}, func(ctx context.Context, c *harness.Cluster, n *nemesis.Nemesis) {
			_, err := n.Inject(ctx, fault.Fault{Kind: "crash", Node: 1}, 0)
			Expect(err).To(MatchError(harness.ErrUnsupported))
			_, err = n.Inject(ctx, fault.Fault{Kind: "crash", Node: 7}, 0)
			Expect(err).To(MatchError("inject crash (node 7): there is no node 7"))
			_, err = n.Inject(ctx, fault.Fault{Kind: "flood"}, 0)
			Expect(err).To(BeAssignableToTypeOf(&nemesis.UnknownError{}))
			Expect(nemesis.Names(nemesis.Possible(c))).To(Equal([]fault.Kind{"isolate"}))
		})
	})

	It("undoes a fault once, and keeps what it claims if that fails", func() {
		broken := errors.New("it does not start")
		t := &fake.Target{}
		onFake(t, func(ctx context.Context, c *harness.Cluster, n *nemesis.Nemesis) {
			in := inject(ctx, n, fault.Fault{Kind: "isolate", Node: 1})
			t.Last().OnRejoin = func(context.Context, int) error { return broken }
			for range 2 {
				_, err := in.Undo(ctx)
				Expect(err).To(MatchError(And(HavePrefix("undo isolate (node 1): "), ContainSubstring(broken.Error()))))
			}
			Expect(n.InForce()).To(BeEmpty())
			_, err := n.Inject(ctx, fault.Fault{Kind: "isolate", Node: 1}, 0)
			Expect(err).To(MatchError(nemesis.ErrInTheWay))
			t.Last().OnRejoin = nil
			Expect(c.Heal(ctx)).To(Succeed())
		})
	})
})
