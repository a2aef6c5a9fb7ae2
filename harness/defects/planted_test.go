package defects_test

import (
	"context"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// abilities returns the abilities of a cluster.
func abilities(c target.Cluster) map[string]bool {
	can := make(map[string]bool)
	for _, ability := range target.Abilities() {
		can[string(ability)] = target.Can(c, ability)
	}
	_, can["digest"] = target.As[target.Digester](c)
	_, can["remember"] = target.As[target.Deduplicator](c)
	return can
}

// bootOnly boots one node of the target and returns the abilities of its cluster.
func bootOnly(ctx context.Context, t target.Target) map[string]bool {
	GinkgoHelper()
	c, err := t.Boot(ctx, 1)
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(c.Close()).To(Succeed()) }()
	return abilities(c)
}

// ofTarget returns the abilities of a target itself.
func ofTarget(t target.Target) map[string]bool {
	_, seeds := t.(target.Seeder)
	_, paces := t.(target.Pacer)
	return map[string]bool{"seed": seeds, "pace": paces}
}

// everyTarget returns all targets of the project.
func everyTarget(binary string) map[string]target.Target {
	return map[string]target.Target{
		"local":   local.New(local.Options{}),
		"virtual": virtual.New(virtual.Options{}),
		"process": process.New(process.Options{Binary: func() string { return binary }}),
		"fake":    &fake.Target{},
		"plain":   &fake.Target{Plain: true},
	}
}

// inPlace runs body in a bubble for the virtual target, and directly for others.
func inPlace(ctx context.Context, name string, body func(context.Context)) {
	GinkgoHelper()
	if name != "virtual" {
		body(ctx)
		return
	}
	Expect(virtual.Run(ctx, body)).To(Succeed())
}

var _ = Describe("A target with a bug in it", Ordered, func() {
	var binary string
	BeforeAll(func(ctx SpecContext) {
		built, remove, err := process.Build(ctx)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(remove)
		binary = built
	})

	It("keeps its abilities, for every target and bug", func(ctx SpecContext) {
		planted := 0
		for name, sound := range everyTarget(binary) {
			var want map[string]bool
			inPlace(ctx, name, func(ctx context.Context) { want = bootOnly(ctx, sound) })
			for _, d := range decorating() {
				t, err := d.Plant(sound)
				if err != nil {
					continue
				}
				planted++
				Expect(ofTarget(t)).To(Equal(ofTarget(sound)), "%s on %s", d.Name, name)
				inPlace(ctx, name, func(ctx context.Context) {
					Expect(bootOnly(ctx, t)).To(Equal(want), "%s on %s", d.Name, name)
				})
			}
		}
		Expect(planted).To(Equal(5*5 + 1))
	}, patience)

	It("has every ability of the fake target", func(ctx SpecContext) {
		c, err := (&fake.Target{}).Boot(ctx, 1)
		Expect(err).NotTo(HaveOccurred())
		missing := []target.Ability{target.Time, target.Dial, target.Addresses, target.Roles, target.Transactions, target.Versions}
		for _, ability := range target.Abilities() {
			Expect(target.Can(c, ability)).To(Equal(!slices.Contains(missing, ability)), string(ability))
		}
	}, patience)

	It("keeps its abilities at every seed and pace", func(ctx SpecContext) {
		for _, d := range decorating() {
			t, err := d.Plant(virtual.New(virtual.Options{}))
			Expect(err).NotTo(HaveOccurred())
			seeded := t.(target.Seeder).Seeded(2)
			paced := t.(target.Pacer).AtPace(time.Second)
			Expect(ofTarget(seeded)).To(Equal(ofTarget(t)), d.Name)
			Expect(ofTarget(paced)).To(Equal(ofTarget(t)), d.Name)
		}
	}, patience)

	It("has the bug, even if it has no optional abilities", func(ctx SpecContext) {
		t, err := find("online-too-early").Plant(&fake.Target{Plain: true, Prepare: func(c *fake.Cluster) {
			c.Node(1).OnStatus(func(_ context.Context, s target.Status) (target.Status, error) {
				s.State, s.Behind = target.Syncing, 7
				return s, nil
			})
		}})
		Expect(err).NotTo(HaveOccurred())
		c, err := t.Boot(ctx, 2)
		Expect(err).NotTo(HaveOccurred())
		status, err := c.Nodes()[1].Status(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(status).To(And(HaveField("State", target.Online), HaveField("Behind", BeZero())))
	}, patience)

	It("has the bug in nodes that are added", func(ctx SpecContext) {
		f := &fake.Target{}
		t, err := find("isolated-node-answers").Plant(f)
		Expect(err).NotTo(HaveOccurred())
		c, err := t.Boot(ctx, 2)
		Expect(err).NotTo(HaveOccurred())
		members, can := target.As[target.Membership](c)
		Expect(can).To(BeTrue())
		added, err := members.Add(ctx, true)
		Expect(err).NotTo(HaveOccurred())
		f.Last().Node(2).Answers("SELECT 1", fake.Table("n", fake.Row(int64(1))))
		Expect(c.Isolate(ctx, 2)).To(Succeed())
		for _, node := range []target.Node{added, c.Nodes()[2]} {
			rows, err := node.Client().Query(ctx, target.Request{SQL: "SELECT 1"})
			Expect(err).NotTo(HaveOccurred())
			Expect(rows.Close()).To(Succeed())
		}
	}, patience)

	DescribeTable("is refused if it does not support the bug", func(bug string, t target.Target, why string) {
		_, err := find(bug).Plant(t)
		Expect(err).To(MatchError(why))
	},
		Entry("nodes without seams", "loses-ddl", &fake.Target{},
			"plant loses-ddl: a *fake.Target gives no access to the parts of its nodes"),
		Entry("processes", "leaks-a-file", process.New(process.Options{}),
			"plant leaks-a-file: a *process.Target gives no access to the parts of its nodes"),
		Entry("elections without a pace", "election-ten-times-too-slow", &fake.Target{},
			"plant election-ten-times-too-slow: the pace of a *fake.Target cannot be set"),
	)
})

// decorating returns the bugs that decorate a target.
func decorating() []defects.Defect {
	GinkgoHelper()
	var all []defects.Defect
	for _, name := range []string{
		"online-too-early", "isolated-node-answers", "leaving-looks-online", "consistency-counts-only",
		"unknown-reported-as-failed", "election-ten-times-too-slow",
	} {
		all = append(all, find(name))
	}
	return all
}
