package nemesis_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/nemesis"
)

var _ = Describe("All kinds", func() {
	It("have a name, a sentence, an injection and evidence of their own", func() {
		seen := make(map[fault.Kind]bool)
		for _, k := range nemesis.All() {
			Expect(seen).NotTo(HaveKey(k.Name))
			seen[k.Name] = true
			Expect(k.Name).NotTo(BeEmpty())
			Expect(k.Doc).To(MatchRegexp(`^[a-z].*[^.]$`), string(k.Name))
			Expect(k.On).NotTo(BeEmpty(), string(k.Name))
			Expect(k.Inject).NotTo(BeNil(), string(k.Name))
			Expect(k.Bit).NotTo(BeNil(), string(k.Name))
			found, err := nemesis.Find(k.Name)
			Expect(err).NotTo(HaveOccurred())
			Expect(found.Doc).To(Equal(k.Doc))
		}
		for _, mode := range fault.Modes() {
			Expect(seen).To(HaveKey(fault.Kind(mode)))
		}
	})

	It("claim all other nodes if they make a node forget", func() {
		for _, k := range nemesis.All() {
			if k.Forgets {
				Expect(k.Claims).To(Equal(nemesis.ClaimsNodeAlone), string(k.Name))
			}
		}
	})

	It("draw faults that are valid, spread over all nodes and links, and the same for a seed", func() {
		for _, k := range nemesis.All() {
			for _, s := range []nemesis.Scale{{Nodes: 3, Pace: time.Second}, {Nodes: 5}} {
				different := make(map[string]bool)
				for seed := range uint64(200) {
					f := k.Draw(rand.New(rand.NewPCG(seed, 0)), s)
					Expect(k.Validate(f, s.Nodes)).To(Succeed(), f.String())
					Expect(k.Draw(rand.New(rand.NewPCG(seed, 0)), s).Equal(f)).To(BeTrue())
					different[f.String()] = true
				}
				want := 1
				switch k.On {
				case nemesis.Node, nemesis.Disk, nemesis.Clock, nemesis.Member:
					want = s.Nodes
				case nemesis.Network:
					want = s.Nodes - 1
				case nemesis.Link, nemesis.Links:
					want = s.Nodes * s.Nodes
				}
				if k.Unit != nil {
					want *= 4 // of 8 sizes, most come up
				}
				Expect(len(different)).To(BeNumerically(">=", min(want, 60)), string(k.Name))
			}
		}
	})

	It("get simpler until nothing is left to simplify", func() {
		for _, k := range nemesis.All() {
			s := nemesis.Scale{Nodes: 5, Pace: time.Second}
			f := k.Draw(rand.New(rand.NewPCG(7, 0)), s)
			for steps := 0; ; steps++ {
				Expect(steps).To(BeNumerically("<", 5))
				simpler := k.Simpler(f, s)
				if len(simpler) == 0 {
					break
				}
				Expect(k.Validate(simpler[0], s.Nodes)).To(Succeed())
				f = simpler[0]
			}
			Expect(f.Node).To(BeNumerically("<=", 0))
			if k.Unit != nil {
				Expect(f.By).To(Equal(k.Unit(time.Second)))
			}
		}
	})
})

// changes are changes of evidence, each by itself.
var changes = map[string]func(*nemesis.Evidence){
	"commit":    func(e *nemesis.Evidence) { e.CommitIndex++ },
	"term":      func(e *nemesis.Evidence) { e.Term++ },
	"down":      func(e *nemesis.Evidence) { e.Running-- },
	"applied":   func(e *nemesis.Evidence) { e.Applied++ },
	"member":    func(e *nemesis.Evidence) { e.Member = !e.Member },
	"struck":    func(e *nemesis.Evidence) { e.Struck = true },
	"messages":  func(e *nemesis.Evidence) { e.Links.Messages++ },
	"lost":      func(e *nemesis.Evidence) { e.Links.Lost++ },
	"resets":    func(e *nemesis.Evidence) { e.Links.Resets++ },
	"twice":     func(e *nemesis.Evidence) { e.Links.Duplicates++ },
	"late":      func(e *nemesis.Evidence) { e.Links.Reordered++ },
	"no change": func(*nemesis.Evidence) {},
}

var _ = Describe("The evidence of a fault", func() {
	progress := []string{"commit", "term"}
	before := nemesis.Evidence{CommitIndex: 9, Term: 2, Running: 3, Applied: 9, Member: true, Links: fault.LinkStats{Messages: 5}}
	leading, stranger, idle := before, before, before
	leading.Led = true
	stranger.Member = false
	idle.Links = fault.LinkStats{}

	// These are all kinds, with the evidence before and the changes since that show that the fault bit. A
	// kind bites by no other change.
	table := map[fault.Kind]struct {
		before nemesis.Evidence
		bite   []string
	}{
		nemesis.Isolate.Name:         {before, progress},
		nemesis.Stop.Name:            {before, progress},
		nemesis.Crash.Name:           {before, progress},
		nemesis.Pause.Name:           {before, progress},
		nemesis.Wipe.Name:            {before, progress},
		nemesis.CrashInstalling.Name: {before, []string{"struck"}},
		nemesis.CrashAll.Name:        {before, []string{"down"}},
		nemesis.Partition.Name:       {before, progress},
		nemesis.IsolateLeader.Name:   {before, []string{"term"}},
		nemesis.SlowLink.Name:        {before, []string{"messages"}},
		nemesis.NarrowLink.Name:      {before, []string{"messages"}},
		nemesis.LossyLink.Name:       {before, []string{"lost"}},
		nemesis.DisorderlyLink.Name:  {before, []string{"twice", "late"}},
		nemesis.ResetLink.Name:       {before, []string{"resets"}},
		nemesis.FullDisk.Name:        {before, progress},
		nemesis.LyingDisk.Name:       {before, progress},
		nemesis.TornDisk.Name:        {before, progress},
		nemesis.SlowDisk.Name:        {before, []string{"applied"}},
		nemesis.ClockAhead.Name:      {leading, progress},
		nemesis.ClockBehind.Name:     {leading, progress},
		nemesis.ClockJump.Name:       {leading, progress},
		nemesis.AddNode.Name:         {stranger, []string{"member"}},
		nemesis.RemoveNode.Name:      {before, []string{"member"}},
		nemesis.CutOneWay.Name:       {before, without("messages")},
		nemesis.CutBothWays.Name:     {before, without("messages")},
		nemesis.FlappingLink.Name:    {before, without()},
	}
	for name, c := range table {
		It("shows that it bit, and only that: "+string(name), func() {
			k, err := nemesis.Find(name)
			Expect(err).NotTo(HaveOccurred())
			for change, apply := range changes {
				after := c.before
				apply(&after)
				Expect(k.Bit(c.before, after)).To(Equal(slices.Contains(c.bite, change)), change)
			}
		})
	}

	It("is of all kinds", func() { Expect(table).To(HaveLen(len(nemesis.All())), "add the new kind to the table above") })

	DescribeTable("is not enough", func(name fault.Kind, before nemesis.Evidence, change string) {
		k, err := nemesis.Find(name)
		Expect(err).NotTo(HaveOccurred())
		after := before
		changes[change](&after)
		Expect(k.Bit(before, after)).To(BeFalse())
	},
		Entry("if a cut link carried nothing before", nemesis.CutOneWay.Name, idle, "no change"),
		Entry("if a cut link carried nothing before, both ways", nemesis.CutBothWays.Name, idle, "no change"),
		Entry("if a flapping link carried nothing before", nemesis.FlappingLink.Name, idle, "no change"),
		Entry("if the node with the wrong clock never led", nemesis.ClockAhead.Name, before, "commit"),
		Entry("if a member that was added was one before", nemesis.AddNode.Name, before, "member"),
		Entry("if a member that was removed was none", nemesis.RemoveNode.Name, stranger, "member"),
	)
})

// without are all changes but these.
func without(names ...string) (rest []string) {
	for name := range changes {
		if !slices.Contains(names, name) {
			rest = append(rest, name)
		}
	}
	return rest
}

var _ = DescribeTable("A fault that is invalid", func(f fault.Fault, nodes int, why string) {
	k, err := nemesis.Find(f.Kind)
	if err == nil {
		err = k.Validate(f, nodes)
	}
	Expect(err).To(MatchError(ContainSubstring(why)))
},
	Entry(nil, fault.Fault{Kind: "flood"}, 3, `there is no kind "flood": the kinds are ["isolate" "stop" `),
	Entry(nil, fault.Fault{Kind: "crash", Node: 3}, 3, "there is no node 3"),
	Entry(nil, fault.Fault{Kind: "crash", Node: fault.NoNode}, 3, "there is no node -1"),
	Entry(nil, fault.Fault{Kind: "crash", By: time.Second}, 3, "it takes no By"),
	Entry(nil, fault.Fault{Kind: "slow disk", By: -1}, 3, "by -1ns must not be negative"),
	Entry(nil, fault.Fault{Kind: "slow disk", Disk: &fault.Disk{Full: true}}, 3, "it takes no disk faults"),
	Entry(nil, fault.Fault{Kind: "wipe", Part: fault.Log}, 3, "no part of a disk"),
	Entry(nil, fault.Fault{Kind: "stop", Links: []fault.Link{{From: 0, To: 1}}}, 3, "it takes no links"),
	Entry(nil, fault.Fault{Kind: "stop", Rule: &fault.Rule{}}, 3, "it takes no rule"),
	Entry(nil, fault.Fault{Kind: "slow link"}, 3, "it takes 1 link, not 0"),
	Entry(nil, fault.Fault{Kind: "slow link", Links: []fault.Link{{From: 1, To: 1}}}, 3, "there is no link 1->1"),
	Entry(nil, fault.Fault{Kind: "slow link", Links: []fault.Link{{From: 1, To: 3}}}, 3, "there is no link 1->3"),
	Entry(nil, fault.Fault{Kind: "lossy link", Links: []fault.Link{{From: 1, To: 0}}, Rule: &fault.Rule{Loss: 1}}, 3, "loss 1 must be"),
	Entry(nil, fault.Fault{Kind: "cut both ways", Links: []fault.Link{{From: 1, To: 0}}}, 3,
		"it takes a link and the link back, not 1 links: 1->0"),
	Entry(nil, fault.Fault{Kind: "flapping link", Links: []fault.Link{{From: 1, To: 0}, {From: 0, To: 1}}}, 3,
		"the period 0s must be at least 1ms"),
	Entry(nil, fault.Fault{Kind: "crash", Groups: [][]int{{0}}}, 3, "it takes no groups"),
	Entry(nil, fault.Fault{Kind: "partition"}, 3, "it takes at least 2 groups, not 0"),
	Entry(nil, fault.Fault{Kind: "partition", Groups: [][]int{{0}, {}}}, 3, "a group has no nodes"),
	Entry(nil, fault.Fault{Kind: "partition", Groups: [][]int{{0}, {3}}}, 3, "there is no node 3"),
	Entry(nil, fault.Fault{Kind: "partition", Groups: [][]int{{0}, {1, 0}}}, 3, "node 0 is in two groups"),
	Entry(nil, fault.Fault{Kind: "partition"}, 1, "it needs at least 2 nodes, not 1"),
	Entry(nil, fault.Fault{Kind: "remove a node"}, 2, "it needs at least 3 nodes, not 2"),
)

var _ = DescribeTable("A fault in words", func(f fault.Fault, words string) { Expect(nemesis.Describe(f)).To(Equal(words)) },
	Entry(nil, fault.Fault{Kind: "crash", Node: 1}, "crash (node 1)"),
	Entry(nil, fault.Fault{Kind: "crash all", Node: 1, By: time.Second}, "crash all"),
	Entry(nil, fault.Fault{Kind: "partition", Groups: [][]int{{0}, {1, 2}}}, "partition (0 | 1 2)"),
	Entry(nil, fault.Fault{Kind: "slow link", Links: []fault.Link{{From: 0, To: fault.Clients}}, By: time.Second},
		"slow link (0->clients, by 1s)"),
	Entry(nil, fault.Fault{Kind: "flood", Node: 1}, "flood (node 1)"),
)

var _ = It("An effect is a word", func() {
	Expect(fmt.Sprint(nemesis.NoEffect, nemesis.Bit, nemesis.Unobserved)).To(Equal("no effect bit unobserved"))
})
