package harness_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

// choices are the nodes that the seed chooses for so many statements.
func choices(ctx context.Context, c *harness.Cluster, n int) []int {
	GinkgoHelper()
	var out []int
	for range n {
		result, err := c.ExecuteOnRandom(ctx, "SELECT 1")
		Expect(err).NotTo(HaveOccurred())
		out = append(out, result.Node)
	}
	return out
}

var _ = Describe("ExecuteOnRandom", func() {
	It("chooses the same nodes with the same seed, and others with another", func(ctx SpecContext) {
		first, _ := boot(harness.Seed(1))
		again, _ := boot(harness.Seed(1))
		other, _ := boot(harness.Seed(2))
		chosen := choices(ctx, first, 50)
		Expect(choices(ctx, again, 50)).To(Equal(chosen))
		Expect(choices(ctx, other, 50)).NotTo(Equal(chosen))
	}, patience)

	It("chooses every online node, and none that is offline", func(ctx SpecContext) {
		c, f := boot(harness.Size(5))
		Expect(c.TakeNodeOffline(ctx, 3)).To(Succeed())
		times := make(map[int]int)
		for _, i := range choices(ctx, c, 200) {
			times[i]++
		}
		Expect(times).To(HaveLen(4))
		Expect(times).To(HaveEach(BeNumerically(">", 20)), "chance is not even")
		Expect(f.Node(3).Asked()).To(BeEmpty())
	}, patience)

	It("fails at once if no node is online", func(ctx SpecContext) {
		c, f := boot()
		for i := range 3 {
			Expect(c.TakeNodeOffline(ctx, i)).To(Succeed())
			f.Node(i).OnStatus(func(ctx context.Context, s target.Status) (target.Status, error) { <-ctx.Done(); return s, ctx.Err() })
		}
		_, err := c.ExecuteOnRandom(ctx, "INSERT")
		Expect(err).To(Equal(harness.ErrNoNodesOnline))
		Expect(err).To(MatchError("no online nodes available in cluster"))
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), "no node was asked")

		results, err := c.ExecuteOnAll(ctx, "INSERT")
		Expect(err).To(Equal(harness.ErrNoNodesOnline))
		Expect(results).To(BeEmpty())
		Expect(lines(c, 2)).To(HaveEach("operation: INSERT -> no online nodes available in cluster"))
	}, patience)

	DescribeTable("asks once, and returns the outcome of the request",
		func(ctx SpecContext, outcome target.Outcome) {
			c, f := boot()
			for i := range 3 {
				f.Node(i).OnQuery(func(context.Context, target.Request) error {
					return &target.Error{Node: fmt.Sprint("n", i), Code: "BUSY", Message: "try later", Outcome: outcome}
				})
			}
			_, err := c.ExecuteOnRandom(ctx, "INSERT")
			Expect(target.OutcomeOf(err)).To(Equal(outcome))
			var nodeError *harness.NodeError
			Expect(errors.As(err, &nodeError)).To(BeTrue())
			Expect(err).To(MatchError(fmt.Sprintf("execute on node %[1]d (n%[1]d): node n%[1]d: BUSY: try later (%v)", nodeError.Node, outcome)))
			var asked int
			for i := range 3 {
				asked += len(f.Node(i).Asked())
			}
			Expect(asked).To(Equal(1))
		},
		Entry("not applied", patience, target.NotApplied),
		Entry("unknown", patience, target.Unknown),
		Entry("applied", patience, target.Applied),
	)

	It("does not know the outcome of a request that failed without a typed error", func(ctx SpecContext) {
		c, f := boot(harness.Size(1))
		f.Node(0).OnQuery(func(context.Context, target.Request) error { return errors.New("oops") })
		_, err := c.ExecuteOnRandom(ctx, "INSERT")
		Expect(target.OutcomeOf(err)).To(Equal(target.Unknown))
	}, patience)

	It("ends with its context", func(ctx SpecContext) {
		c, f := boot(harness.Size(1))
		f.Node(0).OnQuery(func(ctx context.Context, _ target.Request) error { <-ctx.Done(); return context.Cause(ctx) })
		_, err := c.ExecuteOnRandom(shortly(ctx), "SELECT 1")
		Expect(err).To(MatchError(context.DeadlineExceeded))
	}, patience)

	It("passes on the consistency, and gives each request a name", func(ctx SpecContext) {
		c, f := boot(harness.Size(1), harness.Seed(255))
		_, err := c.Reading(target.Strong).ExecuteOnRandom(ctx, "SELECT ?", 1)
		Expect(err).NotTo(HaveOccurred())
		_, err = c.ExecuteOnRandom(ctx, "SELECT 2")
		Expect(err).NotTo(HaveOccurred())
		Expect(f.Node(0).Asked()).To(Equal([]target.Request{
			{SQL: "SELECT ?", Params: []any{int64(1)}, Consistency: target.Strong, ID: "harness-ff-1"},
			{SQL: "SELECT 2", Params: []any{}, ID: "harness-ff-2"},
		}))
	}, patience)
})

var _ = Describe("ExecuteOnAll", func() {
	It("asks all nodes in parallel, and returns results in the order of the nodes", func(ctx SpecContext) {
		c, f := boot(harness.Size(5))
		var together sync.WaitGroup
		together.Add(5)
		var answered [6]chan struct{}
		for i := range answered {
			answered[i] = make(chan struct{})
		}
		close(answered[5])
		for i := range 5 {
			f.Node(i).Answers("SELECT i", fake.Table("i INTEGER", fake.Row(int64(i))))
			f.Node(i).OnQuery(func(context.Context, target.Request) error {
				together.Done()
				together.Wait() // hangs if they come one after another
				<-answered[i+1] // the last answers first
				close(answered[i])
				return nil
			})
		}
		results, err := c.ExecuteOnAll(ctx, "SELECT i")
		Expect(err).NotTo(HaveOccurred())
		Expect(results).To(HaveLen(5))
		for i, r := range results {
			Expect(r.Node).To(Equal(i))
			Expect(r.ID).To(Equal(fmt.Sprint("n", i)))
			Expect(r.Value()).To(Equal(int64(i)))
		}
	}, patience)

	It("names every node that failed, and returns the results of the others", func(ctx SpecContext) {
		c, f := boot(harness.Size(4))
		f.Answers("SELECT 1", fake.Table("1", fake.Row(int64(1))))
		why := errors.New("disk full")
		f.Node(1).OnQuery(func(context.Context, target.Request) error { return why })
		f.Node(3).Answers("SELECT 1", fake.Table("1", fake.Row(int64(1))).Breaking(errors.New("cut off")))
		results, err := c.ExecuteOnAll(ctx, "SELECT 1")
		Expect(err).To(MatchError("execute on node 1 (n1): disk full\nexecute on node 3 (n3): cut off"))
		Expect(err).To(MatchError(why))
		Expect(results).To(HaveLen(2))
		Expect([]int{results[0].Node, results[1].Node}).To(Equal([]int{0, 2}))
	}, patience)

	It("leaves out nodes that are offline", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.TakeNodeOffline(ctx, 0)).To(Succeed())
		results, err := c.ExecuteOnAll(ctx, "SELECT 1")
		Expect(err).NotTo(HaveOccurred())
		Expect(results).To(HaveLen(2))
		Expect(results[0].Node).To(Equal(1))
		Expect(f.Node(0).Asked()).To(BeEmpty())
	}, patience)
})
