package harness_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("An index that no node has", func() {
	DescribeTable("is an error that names the range", func(ctx SpecContext, index int, message string) {
		c, f := boot()
		for verb, use := range map[string]func() error{
			"Node":              func() error { _, err := c.Node(index); return err },
			"IsNodeOnline":      func() error { _, err := c.IsNodeOnline(index); return err },
			"TakeNodeOffline":   func() error { return c.TakeNodeOffline(ctx, index) },
			"BringNodeOnline":   func() error { return c.BringNodeOnline(ctx, index) },
			"WaitForNodeOnline": func() error { return c.WaitForNodeOnline(ctx, index) },
		} {
			err := use()
			Expect(err).To(MatchError(message), verb)
			var indexError *harness.IndexError
			Expect(errors.As(err, &indexError)).To(BeTrue(), verb)
			Expect(*indexError).To(Equal(harness.IndexError{Index: index, Size: 3}), verb)
		}
		Expect(f.Calls()).To(BeEmpty())
		Expect(flags(c)).To(Equal([]bool{true, true, true}))
	},
		Entry("below", patience, -1, "node index -1 out of range (0-2)"),
		Entry("just above", patience, 3, "node index 3 out of range (0-2)"),
		Entry("above", patience, 5, "node index 5 out of range (0-2)"),
	)
})

// take and bring are the methods without their options.
func take(c *harness.Cluster) func(context.Context, int) error {
	return func(ctx context.Context, i int) error { return c.TakeNodeOffline(ctx, i) }
}

func bring(c *harness.Cluster) func(context.Context, int) error {
	return func(ctx context.Context, i int) error { return c.BringNodeOnline(ctx, i) }
}

var _ = Describe("TakeNodeOffline and BringNodeOnline", func() {
	It("change the flag, and make and undo the fault", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		Expect(flags(c)).To(Equal([]bool{true, false, true}))
		Expect(c.BringNodeOnline(ctx, 1)).To(Succeed())
		Expect(flags(c)).To(Equal([]bool{true, true, true}))
		Expect(f.Calls()).To(Equal([]string{"isolate 1", "rejoin 1"}))
	}, patience)

	It("return an error, and change nothing, if there is nothing to do", func(ctx SpecContext) {
		c, f := boot()
		err := c.BringNodeOnline(ctx, 1)
		Expect(err).To(MatchError(harness.ErrAlreadyOnline))
		Expect(err).To(MatchError("bring online on node 1 (n1): the node is already online"))
		Expect(f.Calls()).To(BeEmpty())

		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		err = c.TakeNodeOffline(ctx, 1)
		Expect(err).To(MatchError(harness.ErrAlreadyOffline))
		Expect(err).To(MatchError("take offline on node 1 (n1): the node is already offline"))
		Expect(f.Calls()).To(Equal([]string{"isolate 1"}))
		Expect(flags(c)).To(Equal([]bool{true, false, true}))
	}, patience)

	It("leave the flag unchanged if the fault fails", func(ctx SpecContext) {
		c, f := boot()
		why := errors.New("no such link")
		f.OnIsolate = func(context.Context, int) error { return why }
		f.OnRejoin = f.OnIsolate
		Expect(c.TakeNodeOffline(ctx, 2)).To(And(MatchError(why), MatchError(ContainSubstring("node 2 (n2)"))))
		Expect(flags(c)).To(Equal([]bool{true, true, true}))

		f.OnIsolate = nil
		Expect(c.TakeNodeOffline(ctx, 2)).To(Succeed(), "after a failure it can be tried again")
		Expect(c.BringNodeOnline(ctx, 2)).To(MatchError(why))
		Expect(flags(c)).To(Equal([]bool{true, true, false}))
		f.OnRejoin = nil
		Expect(c.BringNodeOnline(ctx, 2)).To(Succeed())
	}, patience)

	It("pass their context on", func(ctx SpecContext) {
		c, f := boot()
		f.OnIsolate = func(ctx context.Context, _ int) error { <-ctx.Done(); return context.Cause(ctx) }
		Expect(c.TakeNodeOffline(shortly(ctx), 0)).To(MatchError(context.DeadlineExceeded))
		Expect(flags(c)).To(Equal([]bool{true, true, true}))
	}, patience)

	It("let exactly one of many concurrent calls succeed", func(ctx SpecContext) {
		c, f := boot()
		for _, step := range []struct {
			change func(context.Context, int) error
			again  error
			call   string
		}{
			{take(c), harness.ErrAlreadyOffline, "isolate 1"},
			{bring(c), harness.ErrAlreadyOnline, "rejoin 1"},
		} {
			before := len(f.Calls())
			var succeeded, refused atomic.Int32
			var wg sync.WaitGroup
			start := make(chan struct{})
			for range 50 {
				wg.Go(func() {
					<-start
					switch err := step.change(ctx, 1); {
					case err == nil:
						succeeded.Add(1)
					case errors.Is(err, step.again):
						refused.Add(1)
					}
				})
			}
			close(start)
			wg.Wait()
			Expect(succeeded.Load()).To(BeEquivalentTo(1))
			Expect(refused.Load()).To(BeEquivalentTo(49))
			Expect(f.Calls()[before:]).To(Equal([]string{step.call}))
		}
	}, patience)

	When("the fault takes its time", func() {
		It("nothing is routed to the node, and requests do not wait", func(ctx SpecContext) {
			c, f := boot()
			for _, step := range []struct {
				change func(context.Context, int) error
				hook   *func(context.Context, int) error
				again  error
			}{
				{take(c), &f.OnIsolate, harness.ErrAlreadyOffline},
				{bring(c), &f.OnRejoin, harness.ErrAlreadyOnline},
			} {
				begun, end := make(chan struct{}), make(chan struct{})
				*step.hook = func(context.Context, int) error { close(begun); <-end; return nil }
				done := make(chan error, 1)
				go func() { done <- step.change(ctx, 1) }()
				<-begun

				Expect(flags(c)).To(Equal([]bool{true, false, true}), "a node between online and offline is not online")
				asked := len(f.Node(1).Asked())
				for range 50 {
					result, err := c.ExecuteOnRandom(ctx, "SELECT 1")
					Expect(err).NotTo(HaveOccurred())
					Expect(result.Node).NotTo(Equal(1))
				}
				Expect(c.ExecuteOnAll(ctx, "SELECT 1")).To(HaveLen(2))
				Expect(f.Node(1).Asked()).To(HaveLen(asked))
				Expect(step.change(ctx, 1)).To(MatchError(step.again))
				Expect(node(c, 1).Index()).To(Equal(1))
				Expect(done).NotTo(Receive())

				close(end)
				Expect(<-done).To(Succeed())
			}
			Expect(flags(c)).To(Equal([]bool{true, true, true}))
		}, patience)
	})

	It("hold for every view of the cluster", func(ctx SpecContext) {
		c, _ := boot()
		Expect(c.Reading(target.Local).TakeNodeOffline(ctx, 0)).To(Succeed())
		Expect(flags(c)).To(Equal([]bool{false, true, true}))
		Expect(node(c, 1).Cluster().OnlineNodes()).To(HaveLen(2))
	}, patience)
})
