package local_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/inprocess"
	"github.com/rejoin-db/rejoin/harness/local"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("Isolate and Rejoin", func() {
	const client = -1

	// links returns the links that are up: "01" between nodes, and "c0" from the clients.
	links := func(ctx context.Context, c target.Cluster) []string {
		GinkgoHelper()
		up := []string{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		size := len(c.Nodes())
		for from := client; from < size; from++ {
			for to := range size {
				wg.Go(func() {
					short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
					defer cancel()
					if from != to && local.Dial(short, c, from, to) == nil {
						mu.Lock()
						defer mu.Unlock()
						if from == client {
							up = append(up, fmt.Sprint("c", to))
						} else {
							up = append(up, fmt.Sprintf("%d%d", from, to))
						}
					}
				})
			}
		}
		wg.Wait()
		return up
	}

	var c target.Cluster

	BeforeEach(func(ctx SpecContext) {
		var options local.Options
		nothingIsLeft(&options)
		var err error
		c, err = local.New(options).Boot(ctx, 3)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(c.Close)
	})

	isolate := func(ctx context.Context, nodes ...int) {
		GinkgoHelper()
		for _, i := range nodes {
			Expect(c.Isolate(ctx, i)).To(Succeed())
		}
	}
	rejoin := func(ctx context.Context, nodes ...int) {
		GinkgoHelper()
		for _, i := range nodes {
			Expect(c.Rejoin(ctx, i)).To(Succeed())
		}
	}
	all := []string{"c0", "c1", "c2", "01", "02", "10", "12", "20", "21"}

	It("cut and restore all links of a node, in both directions, and its clients' links", func(ctx SpecContext) {
		Expect(links(ctx, c)).To(ConsistOf(all))
		isolate(ctx, 1)
		Expect(links(ctx, c)).To(ConsistOf("c0", "c2", "02", "20"))
		rejoin(ctx, 1)
		Expect(links(ctx, c)).To(ConsistOf(all))
	}, patience)

	It("leave the link between two isolated nodes cut until both are back", func(ctx SpecContext) {
		isolate(ctx, 0, 1)
		Expect(links(ctx, c)).To(ConsistOf("c2"))
		rejoin(ctx, 0)
		Expect(links(ctx, c)).To(ConsistOf("c0", "c2", "02", "20"))
		rejoin(ctx, 1)
		Expect(links(ctx, c)).To(ConsistOf(all))

		isolate(ctx, 0, 1, 2)
		Expect(links(ctx, c)).To(BeEmpty())
		rejoin(ctx, 2, 1)
		Expect(links(ctx, c)).To(ConsistOf("c1", "c2", "12", "21"))
		rejoin(ctx, 0)
		Expect(links(ctx, c)).To(ConsistOf(all))
	}, patience)

	It("can be repeated, in any order", func(ctx SpecContext) {
		rejoin(ctx, 1)
		Expect(links(ctx, c)).To(ConsistOf(all))
		isolate(ctx, 2, 2)
		rejoin(ctx, 2)
		Expect(links(ctx, c)).To(ConsistOf(all))
	}, patience)

	It("refuse the node's clients immediately, with an outcome of not applied", func(ctx SpecContext) {
		isolate(ctx, 1)
		begun := time.Now()
		_, err := c.Nodes()[1].Client().Query(ctx, target.Request{SQL: "INSERT INTO t VALUES (1)"})
		Expect(err).To(MatchError(syscall.ECONNREFUSED))
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		Expect(time.Since(begun)).To(BeNumerically("<", time.Second))
	}, patience)

	It("return an error after Close, like all other methods", func(ctx SpecContext) {
		able := c.(*inprocess.Cluster)
		Expect(c.Close()).To(Succeed())
		_, damaged := able.Damage(ctx, 0, fault.Log)
		_, added := able.Add(ctx, true)
		_, _, digest := able.Digest(ctx, 0)
		for _, err := range []error{
			c.Isolate(ctx, 0), c.Rejoin(ctx, 0), able.Stop(ctx, 0), able.Crash(ctx, 0), able.Start(ctx, 0),
			able.SetLink(ctx, -1, 0, fault.Rule{Action: fault.Drop}), able.ResetLink(ctx, -1, 0),
			able.SetDisk(ctx, 0, fault.Disk{Full: true}), damaged, able.SetClock(ctx, 0, 1),
			added, able.Remove(ctx, 0), able.Replace(ctx, 0), digest,
		} {
			Expect(err).To(MatchError(net.ErrClosed))
		}
		Expect(c.Nodes()[0].Status(ctx)).To(HaveField("State", target.Offline))
		Expect(c.Close()).To(Succeed())
	}, patience)

	It("end with Close, and so does Add, which leaves nothing behind", func(ctx SpecContext) {
		able := c.(*inprocess.Cluster)
		Expect(able.Crash(ctx, 0)).To(Succeed())
		Expect(able.Crash(ctx, 1)).To(Succeed())
		added := make(chan error, 1)
		go func() {
			_, err := able.Add(ctx, true) // it blocks without a quorum
			added <- err
		}()
		Consistently(added, 50*time.Millisecond).ShouldNot(Receive())
		Expect(c.Close()).To(Succeed())
		Eventually(added).Should(Receive(MatchError(net.ErrClosed)))
		Expect(c.Close()).To(Succeed())
	}, patience)
})

var _ = Describe("An isolated node", func() {
	It("keeps its state, falls behind, and catches up when it rejoins", func(ctx SpecContext) {
		c := boot(ctx, 3, local.Options{})
		run(ctx, c, "CREATE TABLE t (v TEXT)")
		run(ctx, c, "INSERT INTO t VALUES ('before')")
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 2)).To(Succeed())
		run(ctx, c, "UPDATE t SET v = 'after'")
		inside := node(c, 2).Inside().Reading(target.Local)
		Expect(inside.Execute(ctx, "SELECT v FROM t")).To(HaveRows(Row("before")))
		Expect(node(c, 2)).NotTo(HaveCaughtUp())
		Expect(c.BringNodeOnline(ctx, 2)).To(Succeed())
		Expect(c.WaitForNodeOnline(ctx, 2)).To(Succeed())
		Expect(inside.Execute(ctx, "SELECT v FROM t")).To(HaveRows(Row("after")))
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	}, patience)

	It("remembers the requests that it has applied, and no others", func(ctx SpecContext) {
		var options local.Options
		nothingIsLeft(&options)
		c, err := local.New(options).Boot(ctx, 1)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(c.Close)
		write := func(id, sql string) {
			Eventually(ctx, func() error {
				rows, err := c.Nodes()[0].Client().Query(ctx, target.Request{SQL: sql, ID: id})
				if err == nil {
					err = rows.Close()
				}
				return err
			}).Should(Succeed())
		}
		write("one", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
		write("two", "INSERT INTO t VALUES (1)")
		_, err = c.Nodes()[0].Client().Query(ctx, target.Request{SQL: "INSERT INTO t VALUES (1)", ID: "three"})
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		deduplicator := c.(target.Deduplicator)
		Expect(deduplicator.Remembered(ctx, 0)).To(And(HaveKey("one"), HaveKey("two"), Not(HaveKey("three"))))
		Expect(deduplicator.Memory()).To(BeNumerically(">=", 100))
		index, sum, err := c.(target.Digester).Digest(ctx, 0)
		Expect(err).NotTo(HaveOccurred())
		Expect(index).To(BeNumerically(">=", 2))
		Expect(sum).NotTo(BeEmpty())
	}, patience)
})
