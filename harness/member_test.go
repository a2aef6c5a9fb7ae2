package harness_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("AddNode", func() {
	It("adds a voter after the others, or a non-voter", func(ctx SpecContext) {
		c, f := boot()
		added, err := c.AddNode(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(added.String()).To(Equal("node 3 (n3)"))
		Expect([]int{c.Size(), c.Quorum()}).To(Equal([]int{4, 3}))
		Expect(flags(c)).To(Equal([]bool{true, true, true, true}))
		Expect(lines(c, 1)).To(Equal([]string{"member node 3: add a voter"}))

		listener, err := c.AddNode(ctx, harness.NonVoter)
		Expect(err).NotTo(HaveOccurred())
		Expect(listener.Votes()).To(BeFalse())
		Expect(added.Votes()).To(BeTrue())
		Expect([]int{c.Size(), c.Quorum()}).To(Equal([]int{5, 3}))
		_, err = c.AddNode(ctx, harness.Voter)
		Expect(err).NotTo(HaveOccurred())
		Expect([]int{c.Size(), c.Quorum()}).To(Equal([]int{6, 3}))
		Expect(f.Calls()).To(Equal([]string{"add true", "add false", "add true"}))
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		Expect(c.ExecuteOnAll(ctx, "SELECT 1")).To(HaveLen(6))
	}, patience)

	It("works through any view of the cluster, and keeps its consistency", func(ctx SpecContext) {
		c, f := boot()
		added, err := c.Reading(target.Local).AddNode(ctx)
		Expect(err).NotTo(HaveOccurred())
		_, err = added.Execute(ctx, "SELECT 1")
		Expect(err).NotTo(HaveOccurred())
		_, err = node(c, 3).Execute(ctx, "SELECT 1")
		Expect(err).NotTo(HaveOccurred())
		Expect(f.Node(3).Asked()).To(HaveExactElements(HaveField("Consistency", target.Local), HaveField("Consistency", target.Default)))
	}, patience)

	It("works while nodes are offline, which stay so", func(ctx SpecContext) {
		c, _ := boot(harness.Size(5))
		Expect(c.TakeNodeOffline(ctx, 0, fault.Crash)).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 4)).To(Succeed())
		Expect(c.AddNode(ctx)).Error().NotTo(HaveOccurred())
		Expect(flags(c)).To(Equal([]bool{false, true, true, true, false, true}))
		Expect(c.Quorum()).To(Equal(4))
		Expect(c.Heal(ctx)).To(Succeed())
	}, patience)

	It("gives each of many concurrent nodes an index of its own", func(ctx SpecContext) {
		c, f := boot()
		var mu sync.Mutex
		adding := 0
		f.OnCall = func(context.Context, string) error {
			mu.Lock()
			defer mu.Unlock()
			adding++
			if adding != 1 {
				return errors.New("two at a time")
			}
			mu.Unlock()
			_, _ = c.ExecuteOnRandom(ctx, "SELECT 1") // other requests are not blocked
			mu.Lock()
			adding--
			return nil
		}
		indexes := make([]int, 8)
		var wg sync.WaitGroup
		for i := range indexes {
			wg.Go(func() {
				defer GinkgoRecover()
				added, err := c.AddNode(ctx)
				Expect(err).NotTo(HaveOccurred())
				Expect(added.ID()).To(Equal(fmt.Sprint("n", added.Index())))
				indexes[i] = added.Index()
			})
		}
		wg.Wait()
		Expect(indexes).To(ConsistOf(3, 4, 5, 6, 7, 8, 9, 10))
	}, patience)

	It("changes nothing if it fails, and waits for other changes no longer than ctx", func(ctx SpecContext) {
		c, f := boot()
		failing(f, "add true", errors.New("no quorum"))
		Expect(c.AddNode(ctx)).Error().To(MatchError("add a node: no quorum"))
		Expect(c.Size()).To(Equal(3))
		Expect(lines(c, 1)).To(Equal([]string{"member: add a voter -> add a node: no quorum"}))

		begun, end := make(chan struct{}), make(chan struct{})
		f.OnCall = func(context.Context, string) error { close(begun); <-end; return nil }
		done := make(chan error, 1)
		go func() { _, err := c.AddNode(ctx); done <- err }()
		<-begun
		Expect(c.AddNode(shortly(ctx))).Error().To(MatchError(context.DeadlineExceeded))
		Expect(c.RemoveNode(shortly(ctx), 1)).To(MatchError(context.DeadlineExceeded))
		Expect(flags(c)).To(Equal([]bool{true, true, true}))
		close(end)
		Expect(<-done).To(Succeed())
	}, patience)

	It("is refused with invalid arguments, or if the target cannot", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.AddNode(ctx, harness.Voter, harness.NonVoter)).Error().To(
			MatchError("add a node: expected one suffrage, voter or non-voter, not [voter non-voter]"))
		Expect(c.AddNode(ctx, "guest")).Error().To(MatchError(`add a node: unknown suffrage "guest": expected voter or non-voter`))
		Expect(f.Calls()).To(BeEmpty())
		plain, _ := bootOf(&fake.Target{Plain: true})
		Expect(plain.AddNode(ctx)).Error().To(MatchError("add a node: the target cannot add and remove nodes"))
		Expect(plain.RemoveNode(ctx, 1)).To(MatchError("remove on node 1 (n1): the target cannot add and remove nodes"))
		Expect(plain.ReplaceNode(ctx, 1)).Error().To(MatchError(harness.ErrUnsupported))
		Expect(plain.Size()).To(Equal(3))
	}, patience)
})

var _ = Describe("RemoveNode", func() {
	It("makes the node unusable, and leaves its index empty", func(ctx SpecContext) {
		c, f := boot(harness.Size(5))
		gone := node(c, 1)
		Expect(c.RemoveNode(ctx, 1)).To(Succeed())
		Expect([]int{c.Size(), c.Quorum()}).To(Equal([]int{4, 3}))
		Expect(c.Nodes()).To(HaveExactElements(HaveField("Index()", 0), HaveField("Index()", 2), HaveField("Index()", 3),
			HaveField("Index()", 4)))
		probes := f.Node(1).Probes()
		way := fault.Link{From: 0, To: 1}
		for verb, use := range map[string]func() error{
			"Node":              func() error { _, err := c.Node(1); return err },
			"IsNodeOnline":      func() error { _, err := c.IsNodeOnline(1); return err },
			"TakeNodeOffline":   func() error { return c.TakeNodeOffline(ctx, 1) },
			"BringNodeOnline":   func() error { return c.BringNodeOnline(ctx, 1) },
			"WaitForNodeOnline": func() error { return c.WaitForNodeOnline(ctx, 1) },
			"RemoveNode":        func() error { return c.RemoveNode(ctx, 1) },
			"ReplaceNode":       func() error { _, err := c.ReplaceNode(ctx, 1); return err },
			"SetLink":           func() error { return c.SetLink(ctx, 0, 1, fault.Rule{}) },
			"Cut":               func() error { return c.Cut(ctx, fault.Drop, way) },
			"SetClock":          func() error { return c.SetClock(ctx, 1, 1) },
			"Execute":           func() error { _, err := gone.Execute(ctx, "SELECT 1"); return err },
			"Status":            func() error { _, err := gone.Status(ctx); return err },
		} {
			var removed *harness.RemovedError
			Expect(errors.As(use(), &removed)).To(BeTrue(), verb)
			Expect(*removed).To(Equal(harness.RemovedError{Node: 1, ID: "n1"}), verb)
		}
		_, err := gone.Execute(ctx, "INSERT")
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		Expect(c.ExecuteOnAll(ctx, "SELECT 1")).To(HaveLen(4))
		Expect(c.Leader(ctx)).To(Equal(0))
		Expect(c.Heal(ctx)).To(Succeed())
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
		Expect(f.Node(1).Probes()).To(Equal(probes))
		Expect(f.Node(1).Asked()).To(BeEmpty())
		Expect(f.Calls()).To(Equal([]string{"remove 1"}))
		Expect(c.IsNodeOnline(5)).Error().To(MatchError("node index 5 out of range (0-4)"), "the others keep their indexes")
	}, patience)

	It("also removes nodes that are offline, and forgets their faults", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.TakeNodeOffline(ctx, 2, fault.Pause)).To(Succeed())
		Expect(c.Cut(ctx, fault.Drop, fault.Link{From: 2, To: 0}, fault.Link{From: 1, To: 2}, fault.Link{From: 0, To: 1})).To(Succeed())
		Expect(c.SetClock(ctx, 2, 1)).To(Succeed())
		Expect(c.RemoveNode(ctx, 2)).To(Succeed())
		Expect(c.Faults().Lines()).To(Equal([]string{"link 0->1: drop"}))
		calls := len(f.Calls())
		Expect(c.Heal(ctx)).To(Succeed())
		Expect(f.Calls()[calls:]).To(HaveExactElements(HavePrefix("link 0 1 sound")))
	}, patience)

	DescribeTable("leaves the flag unchanged if it fails", func(ctx SpecContext, before bool, word string) {
		c, f := boot()
		if !before {
			Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		}
		failing(f, "remove 1", errors.New("no quorum"))
		Expect(c.RemoveNode(ctx, 1)).To(MatchError("remove on node 1 (n1): no quorum; its flag still says " + word))
		Expect(flags(c)).To(Equal([]bool{true, before, true}))
		Expect(c.Size()).To(Equal(3))
	},
		Entry("online", patience, true, "online"),
		Entry("offline", patience, false, "offline"),
	)

	It("and a change of the flag exclude each other", func(ctx SpecContext) {
		c, f := boot()
		begun, end := make(chan struct{}), make(chan struct{})
		f.OnCall = func(context.Context, string) error { close(begun); <-end; return nil }
		done := make(chan error, 1)
		go func() { done <- c.RemoveNode(ctx, 1) }()
		<-begun
		Expect(c.TakeNodeOffline(ctx, 1)).To(MatchError("take offline on node 1 (n1): the node is being removed"))
		Expect(c.BringNodeOnline(ctx, 1)).To(MatchError("bring online on node 1 (n1): the node is being removed"))
		Expect(c.OnlineNodes()).To(HaveLen(2))
		Expect(c.Size()).To(Equal(3), "it counts until it is removed")
		waited := make(chan error, 1)
		go func() { waited <- c.WaitForAllOnline(ctx) }()
		Consistently(waited, soon).ShouldNot(Receive())
		close(end)
		Expect(<-done).To(Succeed())
		Eventually(ctx, waited).Should(Receive(BeNil()), "a node that was removed is not waited for")

		begun, end = make(chan struct{}), make(chan struct{})
		go func() { done <- c.TakeNodeOffline(ctx, 2) }()
		<-begun
		Expect(c.RemoveNode(ctx, 2)).To(MatchError("remove on node 2 (n2): its flag is being changed"))
		close(end)
		Expect(<-done).To(Succeed())
	}, patience)
})

var _ = Describe("ReplaceNode", func() {
	It("adds the new node before it removes the dead one", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.TakeNodeOffline(ctx, 1, fault.Crash)).To(Succeed())
		added, err := c.ReplaceNode(ctx, 1)
		Expect(err).NotTo(HaveOccurred())
		Expect(added.Index()).To(Equal(3))
		Expect(f.Calls()).To(Equal([]string{"crash 1", "add true", "remove 1"}))
		Expect([]int{c.Size(), c.Quorum()}).To(Equal([]int{3, 2}))
		Expect(c.Heal(ctx)).To(Succeed())
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	}, patience)

	It("replaces a non-voter by a non-voter", func(ctx SpecContext) {
		c, _ := boot()
		Expect(c.AddNode(ctx, harness.NonVoter)).Error().NotTo(HaveOccurred())
		added, err := c.ReplaceNode(ctx, 3)
		Expect(err).NotTo(HaveOccurred())
		Expect(added.Votes()).To(BeFalse())
		Expect(c.Quorum()).To(Equal(2))
	}, patience)

	It("removes no node if none was added, and returns the new node if the removal fails", func(ctx SpecContext) {
		c, f := boot()
		failing(f, "add true", errors.New("no quorum"))
		Expect(c.ReplaceNode(ctx, 1)).Error().To(MatchError("add a node: no quorum"))
		Expect(f.Calls()).To(Equal([]string{"add true"}))
		failing(f, "remove 1", errors.New("no quorum"))
		added, err := c.ReplaceNode(ctx, 1)
		Expect(err).To(MatchError(ContainSubstring("remove on node 1 (n1): no quorum")))
		Expect(added.Index()).To(Equal(3))
		Expect(c.Size()).To(Equal(4))
	}, patience)
})

// noLeader expects that no leader was found, and returns why.
func noLeader(leader int, err error) error {
	GinkgoHelper()
	Expect(leader).To(Equal(-1))
	return err
}

var _ = Describe("A leader", func() {
	It("is named by a quorum of the voters", func(ctx SpecContext) {
		c, f := boot()
		for range 2 {
			Expect(c.AddNode(ctx, harness.NonVoter)).Error().NotTo(HaveOccurred())
		}
		shows(f.Node(1), func(s *target.Status) { s.Leader = "" })
		shows(f.Node(2), func(s *target.Status) { s.Leader = "" })
		Expect(noLeader(c.Leader(ctx))).To(MatchError("there is no leader: no node is called leader by 2 of 3 voters (none: 2, n0: 1)"))
		f.Node(2).OnStatus(nil)
		Expect(c.Leader(ctx)).To(Equal(0))
	}, patience)

	It("is no node that the harness has stopped", func(ctx SpecContext) {
		c, _ := boot()
		Expect(c.TakeNodeOffline(ctx, 0, fault.Stop)).To(Succeed())
		Expect(noLeader(c.Leader(ctx))).To(MatchError("there is no leader: node 0 (n0) is called leader by 2 of 3 voters, and is stopped"))
		Expect(c.BringNodeOnline(ctx, 0)).To(Succeed())
		Expect(c.Leader(ctx)).To(Equal(0))
	}, patience)
})

var _ = Describe("A missing quorum", func() {
	It("is why there is no leader, and why a node does not come online", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.AddNode(ctx, harness.NonVoter)).Error().NotTo(HaveOccurred())
		for _, i := range []int{0, 2} {
			Expect(c.TakeNodeOffline(ctx, i, fault.Stop)).To(Succeed())
		}
		shows(f.Node(1), func(s *target.Status) { s.State, s.Leader = target.Connecting, "" })
		Expect(noLeader(c.Leader(ctx))).To(MatchError("there is no leader: no quorum: 1 of 3 voters online, 2 needed"))
		err := c.WaitForNodeOnline(shortly(ctx), 1)
		Expect(err).To(MatchError("wait for node 1 (n1) to be online: no quorum: 1 of 3 voters online, 2 needed; " +
			"it was last seen connecting, applied index 1 of 1, no leader: context deadline exceeded"))
	}, patience)
})
