package harness_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
)

func link(from, to int) fault.Link { return fault.Link{From: from, To: to} }

// cut are the links that the harness has cut, in order.
func cut(c *harness.Cluster) string {
	var ways []string
	for w, rule := range c.Faults().Links {
		if rule.Action != fault.Pass {
			ways = append(ways, fmt.Sprint(w.From, w.To))
		}
	}
	slices.Sort(ways)
	return strings.Join(ways, ", ")
}

var _ = Describe("Links", func() {
	It("take rules one way, and between nodes and clients", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.SetLink(ctx, 0, 1, fault.Rule{Latency: time.Second})).To(Succeed())
		Expect(c.SetLink(ctx, fault.Clients, 2, fault.Rule{Bandwidth: 1000})).To(Succeed())
		Expect(c.SetLink(ctx, 2, fault.Clients, fault.Rule{Action: fault.Refuse, Jitter: time.Second})).To(Succeed())
		Expect(f.Calls()).To(Equal([]string{
			"link 0 1 latency 1s, jitter 0s",
			"link -1 2 1000 bytes a second",
			"link 2 -1 refuse, latency 0s, jitter 1s",
		}))
		Expect(lines(c, 3)).To(Equal([]string{
			"fault: link 0->1: latency 1s, jitter 0s", "fault: link clients->2: 1000 bytes a second",
			"fault: link 2->clients: refuse, latency 0s, jitter 1s",
		}))
		Expect(flags(c)).To(Equal([]bool{true, true, true}), "links are not flags")
	}, patience)

	It("keep the rest of their rules when they are cut and mended", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.SetLink(ctx, 0, 1, fault.Rule{Latency: time.Second})).To(Succeed())
		Expect(c.Cut(ctx, fault.Refuse, link(0, 1), link(1, 0))).To(Succeed())
		Expect(c.Faults().Links).To(Equal(map[fault.Link]fault.Rule{
			link(0, 1): {Action: fault.Refuse, Latency: time.Second}, link(1, 0): {Action: fault.Refuse}}))
		Expect(c.Mend(ctx, link(0, 1), link(1, 0))).To(Succeed())
		Expect(f.Calls()[3]).To(Equal("link 0 1 latency 1s, jitter 0s"))
		Expect(c.Faults().Lines()).To(Equal([]string{"link 0->1: latency 1s, jitter 0s"}))
		Expect(c.MendLinks(ctx)).To(Succeed())
		Expect(f.Calls()[5:]).To(Equal([]string{"link 0 1 sound"}))
		Expect(c.Faults().Lines()).To(BeEmpty())
		Expect(c.MendLinks(ctx)).To(Succeed())
		Expect(f.Calls()).To(HaveLen(6), "a second time there is nothing to do")
	}, patience)

	It("are all tried, and noted as they became", func(ctx SpecContext) {
		c, f := boot()
		failing(f, "link 1 0 drop", errors.New("no such link"))
		Expect(c.Cut(ctx, fault.Drop, link(0, 1), link(1, 0), link(1, 2))).To(MatchError("cut (drop) 0->1 1->0 1->2: 1->0: no such link"))
		Expect(cut(c)).To(Equal("0 1, 1 2"))
	}, patience)

	It("reset a message once", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.ResetLink(ctx, 0, fault.Clients)).To(Succeed())
		Expect(f.Calls()).To(Equal([]string{"reset 0 -1"}))
		Expect(lines(c, 1)).To(Equal([]string{"fault: reset 0->clients"}))
		failing(f, "reset 1 2", errors.New("no connection"))
		Expect(c.ResetLink(ctx, 1, 2)).To(MatchError("reset 1->2: no connection"))
		Expect(c.Faults().Lines()).To(Equal([]string{"link 0->clients: a message is or was to be cut in half"}))

		By("being disarmed when the links are mended")
		Expect(c.MendLinks(ctx)).To(Succeed())
		Expect(f.Calls()).To(ContainElement("link 0 -1 sound"))
		Expect(c.Faults().Lines()).To(BeEmpty())
	}, patience)

	It("that do not exist are refused before any link is changed", func(ctx SpecContext) {
		c, f := boot()
		var index *harness.IndexError
		Expect(errors.As(c.SetLink(ctx, 0, 3, fault.Rule{}), &index)).To(BeTrue())
		Expect(errors.As(c.Cut(ctx, fault.Drop, link(0, 1), link(-2, 0)), &index)).To(BeTrue())
		Expect(errors.As(c.ResetLink(ctx, 7, 0), &index)).To(BeTrue())
		Expect(c.Cut(ctx, fault.Drop, link(0, 1), link(2, 2))).To(MatchError("cut (drop) 0->1 2->2: there is no link from node 2 to itself"))
		Expect(c.SetLink(ctx, fault.Clients, fault.Clients, fault.Rule{})).To(HaveOccurred())
		Expect(c.SetLink(ctx, 0, 1, fault.Rule{Loss: 1})).To(MatchError(ContainSubstring("loss 1 must be at least 0 and below 1")))
		Expect(c.Cut(ctx, fault.Action(7), link(0, 1))).To(MatchError(ContainSubstring("unknown action 7")))
		Expect(c.Cut(ctx, fault.Drop)).To(MatchError("cut (drop) : no links given"))
		Expect(f.Calls()).To(BeEmpty())

		plain, _ := bootOf(&fake.Target{Plain: true})
		for _, refused := range []error{
			plain.SetLink(ctx, 0, 1, fault.Rule{}), plain.ResetLink(ctx, 0, 1), plain.Partition(ctx, []int{0}, []int{1}), plain.Ring(ctx),
		} {
			Expect(refused).To(MatchError(And(HaveSuffix("the target cannot degrade single links"))))
			Expect(refused).To(MatchError(harness.ErrUnsupported))
		}
		Expect(noLeader(plain.IsolateLeader(ctx))).To(MatchError("isolate the leader: the target cannot degrade single links"))
		Expect(plain.Flapping(ctx, time.Second, link(0, 1))).Error().To(MatchError(harness.ErrUnsupported))
		Expect(plain.MendLinks(ctx)).To(Succeed(), "there is nothing to mend")
	}, patience)

	It("have the rule that was set last, with concurrent callers", func(ctx SpecContext) {
		c, f := boot()
		var at, most atomic.Int32
		var last atomic.Value
		f.OnCall = func(_ context.Context, call string) error {
			most.Store(max(most.Load(), at.Add(1)))
			runtime.Gosched()
			last.Store(call)
			at.Add(-1)
			return nil
		}
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				defer GinkgoRecover()
				if rand.N(2) == 0 {
					Expect(c.SetLink(ctx, 0, 1, fault.Rule{Bandwidth: int64(i + 1)})).To(Succeed())
				} else {
					Expect(c.Cut(ctx, fault.Drop, link(0, 1))).To(Succeed())
				}
			})
		}
		wg.Wait()
		Expect(last.Load()).To(Equal(fmt.Sprintf("link 0 1 %+v", c.Faults().Links[link(0, 1)])))
		Expect(most.Load()).To(BeEquivalentTo(1))
	}, patience)
})

var _ = Describe("Shapes", func() {
	It("partition groups from each other, and leave other nodes alone", func(ctx SpecContext) {
		c, _ := boot(harness.Size(5))
		Expect(c.Partition(ctx, []int{0, 1}, []int{2}, []int{3})).To(Succeed())
		Expect(cut(c)).To(Equal("0 2, 0 3, 1 2, 1 3, 2 0, 2 1, 2 3, 3 0, 3 1, 3 2"))
		Expect(lines(c, 1)).To(Equal([]string{"fault: partition [[0 1] [2] [3]]"}))
		Expect(c.Partition(ctx, []int{0, 1}, []int{1, 2})).To(MatchError(ContainSubstring("node 1 is in two groups")))
		Expect(c.Partition(ctx, []int{0, 1})).To(MatchError("partition [[0 1]]: no links given"))
	}, patience)

	It("ring the members, in order", func(ctx SpecContext) {
		c, _ := boot(harness.Size(6))
		Expect(c.RemoveNode(ctx, 2)).To(Succeed())
		Expect(c.Ring(ctx)).To(Succeed())
		Expect(cut(c)).To(Equal("0 3, 0 4, 1 4, 1 5, 3 0, 3 5, 4 0, 4 1, 5 1, 5 3"))
		small, _ := boot()
		Expect(small.Ring(ctx)).To(MatchError("ring [0 1 2]: no links given"))
	}, patience)

	It("bridge two sides", func(ctx SpecContext) {
		c, _ := boot(harness.Size(5))
		Expect(c.Bridge(ctx, []int{0, 1}, []int{3, 4}, 2)).To(Succeed())
		Expect(cut(c)).To(Equal("0 3, 0 4, 1 3, 1 4, 3 0, 3 1, 4 0, 4 1"))
		Expect(lines(c, 1)).To(Equal([]string{"fault: bridge [0 1] [2] [3 4]"}))
	}, patience)

	It("isolate the leader from the nodes, and not from clients", func(ctx SpecContext) {
		c, f := boot(harness.Size(4))
		for i := range 4 {
			shows(f.Node(i), leads("n2"))
		}
		Expect(c.IsolateLeader(ctx)).To(Equal(2))
		Expect(cut(c)).To(Equal("0 2, 1 2, 2 0, 2 1, 2 3, 3 2"))
		Expect(flags(c)).To(Equal([]bool{true, true, true, true}))
		for i := range 4 {
			shows(f.Node(i), leads(""))
		}
		Expect(noLeader(c.IsolateLeader(ctx))).To(
			MatchError(HavePrefix("isolate the leader: there is no leader: no node is called leader by 3 of 4")))
	}, patience)
})

// atLeast waits for that many calls.
func atLeast(ctx context.Context, f *fake.Cluster, calls int) {
	GinkgoHelper()
	Eventually(ctx, func() int { return len(f.Calls()) }).Should(BeNumerically(">=", calls))
}

var _ = Describe("Flapping", func() {
	It("cuts and mends until it is stopped, and leaves the links mended", func(ctx SpecContext) {
		c, f := boot()
		stop, err := c.Flapping(ctx, 2*time.Millisecond, link(0, 1))
		Expect(err).NotTo(HaveOccurred())
		Expect(f.Calls()[0]).To(HavePrefix("link 0 1 drop"), "the first cut is in effect")
		Expect(c.Faults().Lines()).To(ContainElement("flap every 2ms 0->1"))
		atLeast(ctx, f, 7)
		Expect(stop()).To(Succeed())
		calls := f.Calls()
		for i, call := range calls[:len(calls)-1] {
			Expect(call).To(Equal("link 0 1 " + []string{"drop", "sound"}[i%2]))
		}
		Expect(calls[len(calls)-1]).To(HavePrefix("link 0 1 sound"))
		Expect(lines(c, 2)).To(Equal([]string{
			"fault: flap every 2ms 0->1",
			fmt.Sprintf("fault: mend after flapping every 2ms 0->1: %d flips", len(calls)-1),
		}))
		Expect(c.Faults().Lines()).To(BeEmpty())
		Consistently(f.Calls, soon).Should(HaveLen(len(calls)))
		Expect(stop()).To(Succeed(), "again")
	}, patience)

	It("outlives its context, and ends with Heal and Close", func(ctx SpecContext) {
		c, f := boot()
		begun, cancel := context.WithCancel(ctx)
		stop, err := c.Flapping(begun, 2*time.Millisecond, link(0, 1))
		Expect(err).NotTo(HaveOccurred())
		cancel()
		calls := len(f.Calls())
		atLeast(ctx, f, calls+4)
		Expect(c.Heal(ctx)).To(Succeed())
		Expect(c.Faults().Lines()).To(BeEmpty())
		Expect(stop()).To(Succeed())

		_, err = c.Flapping(ctx, time.Hour, link(0, 1), link(1, 0))
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Close()).To(Succeed())
		Expect(f.Calls()[len(f.Calls())-3:]).To(HaveExactElements(HavePrefix("link 0 1 sound"), HavePrefix("link 1 0 sound"), Equal("close")))
		Expect(c.Flapping(ctx, time.Hour, link(0, 1))).Error().To(MatchError("flap every 1h0m0s 0->1: the cluster is closed"))
	}, patience)

	It("ends with an error, and returns it from stop and Heal", func(ctx SpecContext) {
		c, f := boot()
		why := errors.New("no such link")
		var once sync.Once
		f.OnCall = func(_ context.Context, call string) (err error) {
			if strings.HasPrefix(call, "link 0 1 sound") {
				once.Do(func() { err = why })
			}
			return err
		}
		stop, err := c.Flapping(ctx, 2*time.Millisecond, link(0, 1))
		Expect(err).NotTo(HaveOccurred())
		Eventually(ctx, f.Calls).Should(HaveLen(3), "it ended by itself, and mended")
		Expect(c.Heal(ctx)).To(MatchError(why))
		Expect(stop()).To(MatchError("flap every 2ms 0->1, after 1 flips: 0->1: no such link"))
		Expect(cut(c)).To(BeEmpty())
	}, patience)

	It("goes on without a node that was removed", func(ctx SpecContext) {
		c, f := boot()
		stop, err := c.Flapping(ctx, 2*time.Millisecond, link(0, 1), link(0, 2))
		Expect(err).NotTo(HaveOccurred())
		Expect(c.RemoveNode(ctx, 1)).To(Succeed())
		calls := len(f.Calls())
		atLeast(ctx, f, calls+4)
		for _, call := range f.Calls()[calls+1:] {
			Expect(call).To(HavePrefix("link 0 2"))
		}
		Expect(stop()).To(Succeed())
	}, patience)

	It("needs a first cut that works, and a period", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.Flapping(ctx, 0, link(0, 1))).Error().To(MatchError("links cannot flap every 0s"))
		failing(f, "link 0 1 drop", errors.New("no such link"))
		Expect(c.Flapping(ctx, time.Second, link(0, 1))).Error().To(MatchError("flap every 1s 0->1: 0->1: no such link"))
		Expect(c.Faults().Lines()).To(BeEmpty())
	}, patience)
})
