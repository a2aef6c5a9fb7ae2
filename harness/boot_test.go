package harness_test

import (
	"context"
	"errors"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("Boot", func() {
	It("boots 3 nodes with seed 1 and a journal of its own, by default", func() {
		c, _ := boot()
		Expect(c.Size()).To(Equal(3))
		Expect(c.Quorum()).To(Equal(2))
		Expect(c.Seed()).To(Equal(uint64(1)))
		Expect(flags(c)).To(Equal([]bool{true, true, true}))
		Expect(lines(c, -1)).To(Equal([]string{"boot: 3 nodes, seed 1"}))
	})

	It("takes size, seed and journal as options", func() {
		j := journal.New(10)
		c, _ := boot(harness.Size(5), harness.Seed(7), harness.Journal(j))
		Expect(c.Size()).To(Equal(5))
		Expect(c.Quorum()).To(Equal(3))
		Expect(c.Seed()).To(Equal(uint64(7)))
		Expect(c.Journal()).To(BeIdenticalTo(j))
		Expect(j.Total(journal.Resource, journal.Shown)).To(Equal(1))
		Expect(j.Total()).To(Equal(11), "each node is measured, and shows itself for the first time")
	})

	DescribeTable("has a quorum of more than half of the nodes", func(size, quorum int) {
		c, _ := boot(harness.Size(size))
		Expect(c.Quorum()).To(Equal(quorum))
	}, Entry(nil, 1, 1), Entry(nil, 2, 2), Entry(nil, 4, 3), Entry(nil, 7, 4))

	DescribeTable("rejects a size below 1 before it asks the target", func(ctx SpecContext, size int, message string) {
		t := &fake.Target{}
		c, err := harness.Boot(ctx, t, harness.Size(size))
		Expect(err).To(MatchError(message))
		Expect(c).To(BeNil())
		Expect(t.Sizes()).To(BeEmpty())
	},
		Entry("none", patience, 0, "boot: cluster size 0: must be at least 1"),
		Entry("fewer", patience, -1, "boot: cluster size -1: must be at least 1"),
	)

	It("returns the error of the target", func(ctx SpecContext) {
		why := errors.New("no ports left")
		j := journal.New(10)
		c, err := harness.Boot(ctx, &fake.Target{Err: why}, harness.Journal(j))
		Expect(err).To(MatchError(why))
		Expect(c).To(BeNil())
		Expect(j.Last(1)[0].Err).To(Equal("no ports left"))
	}, patience)

	DescribeTable("closes a cluster with a wrong number of nodes", func(ctx SpecContext, wrong int, message string) {
		t := &fake.Target{Wrong: wrong}
		c, err := harness.Boot(ctx, t)
		Expect(err).To(MatchError(message))
		Expect(c).To(BeNil())
		Expect(t.Last().Calls()).To(Equal([]string{"close"}))
	},
		Entry("too many", patience, 1, "the target booted 4 nodes, not 3"),
		Entry("too few", patience, -1, "the target booted 2 nodes, not 3"),
	)

	It("closes the cluster if a node does not come online, and names the node", func(ctx SpecContext) {
		t := &fake.Target{Prepare: func(c *fake.Cluster) {
			c.Node(2).OnStatus(func(_ context.Context, s target.Status) (target.Status, error) {
				s.State = target.Syncing
				return s, nil
			})
			c.OnClose = func() error { return errors.New("a process is left") }
		}}
		c, err := harness.Boot(shortly(ctx), t)
		Expect(err).To(MatchError(HavePrefix("boot: wait for node 2 (n2) to be online: it was last seen syncing")))
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(err).To(MatchError(ContainSubstring("a process is left")))
		Expect(c).To(BeNil())
		Expect(t.Last().Calls()).To(Equal([]string{"close"}))
	}, patience)
})

var _ = Describe("Close", func() {
	It("closes once, however often it is called", func() {
		c, f := boot()
		Expect(c.Close()).To(Succeed())
		Expect(c.Reading(target.Local).Close()).To(Succeed())
		Expect(f.Calls()).To(Equal([]string{"close"}))
	})

	It("returns the error of the target", func() {
		c, f := boot()
		f.OnClose = func() error { return errors.New("a port is left") }
		Expect(c.Close()).To(MatchError("a port is left"))
	})

	It("returns to no caller before the cluster is closed", func(ctx SpecContext) {
		c, f := boot()
		begun, end := make(chan struct{}), make(chan struct{})
		f.OnClose = func() error { close(begun); <-end; return nil }
		var wg sync.WaitGroup
		wg.Go(func() { _ = c.Close() })
		<-begun
		second := make(chan error, 1)
		wg.Go(func() { second <- c.Close() })
		Consistently(second, soon).ShouldNot(Receive())
		close(end)
		Eventually(ctx, second).Should(Receive(BeNil()))
		wg.Wait()
	}, patience)
})
