package workload_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/virtual"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// onCluster runs the body in a bubble, with a cluster of three nodes.
func onCluster(body func(ctx context.Context, c *harness.Cluster)) {
	GinkgoHelper()
	synctest.Test(new(testing.T), func(*testing.T) {
		defer GinkgoRecover()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		c, err := harness.Boot(ctx, virtual.New(virtual.Options{}), harness.Seed(7))
		Expect(err).NotTo(HaveOccurred())
		defer func() { Expect(c.Close()).To(Succeed()) }()
		body(ctx, c)
	})
}

// enough blocks until that many operations have ended.
func enough(ctx context.Context, r *workload.Running, operations int) {
	GinkgoHelper()
	Eventually(ctx, func() int { return r.Tally().Total() }).WithPolling(time.Millisecond).Should(BeNumerically(">=", operations))
}

var _ = Describe("A workload", func() {
	BeforeEach(nothingIsLeft)

	for _, w := range workload.Workloads("ns") {
		It("can be judged though a node was offline: "+w.Name(), func(ctx SpecContext) {
			onCluster(func(ctx context.Context, c *harness.Cluster) {
				w := byName(w.Name())
				r, err := workload.Load{Workload: w, Clients: 4, Most: 200, Seed: 3}.Start(ctx, c)
				Expect(err).NotTo(HaveOccurred())
				enough(ctx, r, 50)
				Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
				enough(ctx, r, 120)
				Expect(c.BringNodeOnline(ctx, 1)).To(Succeed())
				Eventually(ctx, r.Done()).Should(BeClosed())
				Expect(r.Finish(ctx)).To(Succeed())
				Expect(c.VerifyInvariants(ctx)).To(Succeed())

				GinkgoWriter.Println(w.Name(), r.Tally())
				Expect(r.Tally().Total()).To(Equal(200))
				Expect(r.Tally().OK).To(BeNumerically(">=", 100))
				expectJudgeable(c.Journal().Events(), c.Size())
			})
		}, patience)
	}

	It("fails no operation for another reason than a fault, beside all other workloads", func(ctx SpecContext) {
		onCluster(func(ctx context.Context, c *harness.Cluster) {
			var all []*workload.Running
			for i, w := range workload.Workloads("ns") {
				r, err := workload.Load{Workload: w, Clients: 2, Rate: 20, Deadline: time.Second, Seed: uint64(i)}.Start(ctx, c)
				Expect(err).NotTo(HaveOccurred())
				all = append(all, r)
			}
			for round, mode := range []fault.Mode{fault.Crash, fault.Isolate, fault.Stop, fault.Isolate, fault.Crash} {
				victim, err := c.Leader(ctx)
				Expect(err).NotTo(HaveOccurred())
				Expect(c.TakeNodeOffline(ctx, victim, mode)).To(Succeed())
				Expect(c.Advance(ctx, 2*time.Second)).To(Succeed())
				Expect(c.BringNodeOnline(ctx, victim, back(round, mode)...)).To(Succeed())
				Expect(c.WaitForAllOnline(ctx)).To(Succeed())
			}
			for _, r := range all {
				r.Stop()
			}
			Expect(c.Heal(ctx)).To(Succeed())
			for i, r := range all {
				Expect(r.Finish(ctx)).To(Succeed())
				GinkgoWriter.Println(workload.Workloads("ns")[i].Name(), r.Tally())
				Expect(r.Tally().OK).To(BeNumerically(">", 50))
			}
			Expect(c.VerifyInvariants(ctx)).To(Succeed())
			expectJudgeable(c.Journal().Events(), c.Size())
		})
	}, patience)
})

// back is how a node comes back: wiped, if it crashed after the first round.
func back(round int, mode fault.Mode) []harness.ReturnOption {
	if mode == fault.Crash && round > 0 {
		return []harness.ReturnOption{harness.Wiped}
	}
	return nil
}

// byName returns a new workload of that name.
func byName(name string) workload.Workload {
	for _, w := range workload.Workloads("ns") {
		if w.Name() == name {
			return w
		}
	}
	panic("there is no workload " + name)
}

// expectJudgeable expects that the journal holds operations whose reads were all recorded, and final reads of
// every node.
func expectJudgeable(events []journal.Event, nodes int) {
	GinkgoHelper()
	var text bytes.Buffer
	Expect(journal.Encode(&text, events)).To(Succeed())
	decoded, err := journal.Decode(&text)
	Expect(err).NotTo(HaveOccurred())
	Expect(decoded).To(HaveLen(len(events)))

	final := make(map[int][]journal.Step)
	keys := make(map[string]bool) // that may hold something
	changes, reads := 0, 0
	for _, e := range decoded {
		if e.Kind != journal.Operation || e.Op.Model == "" || e.Op.Outcome != journal.OK {
			continue
		}
		Expect(e.Op.Steps).NotTo(BeEmpty(), e.String())
		for _, s := range e.Op.Steps {
			switch {
			case s.Reads():
				reads++
				Expect(s.Got).NotTo(BeNil(), e.String())
			default:
				changes++
				keys[s.Key] = true
			}
			Expect(s.Key).To(ContainSubstring("/"))
		}
		if e.Op.Final {
			final[e.Node] = append(final[e.Node], e.Op.Steps...)
		}
	}
	Expect(changes).To(BeNumerically(">", 20))
	Expect(reads).To(BeNumerically(">=", nodes))
	Expect(final).To(HaveLen(nodes), "nodes that were read at the end")
	for _, steps := range final {
		Expect(steps).To(Equal(final[0]))
	}
	for _, s := range final[0] {
		delete(keys, s.Key)
	}
	Expect(keys).To(BeEmpty(), "keys that were not read at the end")
}
