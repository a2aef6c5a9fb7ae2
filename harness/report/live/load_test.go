package live_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/live"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

func (p *player) load(ctx SpecContext, body string) {
	GinkgoHelper()
	a := p.send(ctx, http.MethodPost, "load", body)
	Expect(a.status).To(Equal(http.StatusOK), a.body)
}

// workload is what the page shows of one.
func (p *player) workload(ctx SpecContext, name string) live.Workload {
	GinkgoHelper()
	for _, w := range p.state(ctx).Loads {
		if w.Name == name {
			return w
		}
	}
	Fail("the page shows no workload " + name)
	return live.Workload{}
}

func (p *player) judged(ctx SpecContext) (j live.Judged) {
	GinkgoHelper()
	a := p.send(ctx, http.MethodPost, "judge", "{}")
	Expect(a.status).To(Equal(http.StatusOK), a.body)
	a.into(&j)
	return j
}

func resultOf(j live.Judged, rule string) string {
	for _, v := range j.Verdicts {
		if v.Rule == rule {
			return v.Result
		}
	}
	return "no such rule"
}

var _ = Describe("Workloads", func() {
	It("run until they are switched off, again too, and are judged", func(ctx SpecContext) {
		p := playLocal(ctx)
		total := func(name string) int { w := p.workload(ctx, name); return w.OK + w.Failed + w.Unknown }
		for round := range 2 {
			for _, name := range []string{"register", "set"} {
				before := total(name)
				p.load(ctx, fmt.Sprintf(`{"name": %q, "on": true, "clients": 2, "rate": 100}`, name))
				Expect(p.workload(ctx, name)).To(And(HaveField("Running", true), HaveField("Clients", 2), HaveField("Rate", 100.0)))
				Eventually(func() int { return total(name) }).Should(BeNumerically(">", before+20))
			}
			running := p.judged(ctx)
			Expect(running.NotFinal).To(ContainSubstring("a workload is running"))
			Expect(running.Verdicts).NotTo(ContainElement(HaveField("Result", "broken")))
			for _, name := range []string{"register", "set"} {
				p.load(ctx, fmt.Sprintf(`{"name": %q, "on": false}`, name))
				Expect(p.workload(ctx, name)).To(HaveField("Running", false))
			}
			stopped := total("register")
			rested := p.judged(ctx)
			Expect(rested.NotFinal).To(BeEmpty(), rested.Error)
			Expect(rested.Error).To(BeEmpty())
			for _, v := range rested.Verdicts {
				Expect(v.Result).To(BeElementOf("kept", "nothing to judge"), "round %d: %s", round, v)
			}
			Expect(resultOf(rested, "linearizable")).To(Equal("kept"))
			Expect(resultOf(rested, "durable")).To(Equal("kept"))
			Expect(total("register")).To(Equal(stopped), "a workload goes on after it was switched off")
		}
		numbers := make(map[int]bool)
		for _, e := range p.cluster.Journal().Events() {
			if e.Op != nil && e.Op.Client != journal.None {
				numbers[e.Op.Client/1000] = true
			}
		}
		Expect(numbers).To(HaveLen(4), "each run has clients of its own")
	}, patience)

	It("whose acknowledged rows are gone are objected to", func(ctx SpecContext) {
		p := playLocal(ctx)
		p.load(ctx, `{"name": "set", "on": true, "rate": 200}`)
		Eventually(func() int { return p.workload(ctx, "set").OK }).Should(BeNumerically(">", 30))
		p.load(ctx, `{"name": "set", "on": false}`)
		Expect(p.rows(ctx, "").Tables).To(ContainElement("live_set.members"))
		p.sql(ctx, live.Query{SQL: "DELETE FROM live_set.members"})
		j := p.judged(ctx)
		Expect(resultOf(j, "durable")).To(Equal("broken"))
		for i, v := range j.Verdicts {
			if v.Result == "broken" {
				Expect(j.Examples[i]).NotTo(BeEmpty())
			}
		}
		Expect(p.state(ctx).Said["workloads"]).To(And(HaveField("Failed", true), HaveField("Text", "A judge objects")))
	}, patience)

	It("are not read a last time while a node is away", func(ctx SpecContext) {
		p, _ := playFake(ctx)
		Expect(p.cluster.TakeNodeOffline(ctx, 1, fault.Isolate)).To(Succeed())
		Expect(p.judged(ctx).NotFinal).To(ContainSubstring("a node is offline"))
	}, patience)

	It("end with the page", func(ctx SpecContext) {
		p := playLocal(ctx)
		p.load(ctx, `{"name": "counter", "on": true}`)
		Expect(p.server.Close()).To(Succeed())
		before := p.cluster.Journal().Total(journal.Shown, journal.Role)
		Expect(p.cluster.Leader(ctx)).Error().NotTo(HaveOccurred())
		Expect(p.cluster.Journal().Total(journal.Shown, journal.Role)).To(Equal(before))
	}, patience)

	DescribeTable("that cannot be switched say why", func(ctx SpecContext, body string, status int, why string) {
		p, _ := playFake(ctx)
		Expect(p.refused(ctx, "load", body, status)).To(ContainSubstring(why))
	},
		Entry("unknown", `{"name": "mining", "on": true}`, http.StatusBadRequest, `no workload "mining"`, patience),
		Entry("off already", `{"name": "set"}`, http.StatusConflict, "is off already", patience),
		Entry("with too many clients", `{"name": "set", "on": true, "clients": 51}`, http.StatusBadRequest, "1 to 50 clients", patience),
		Entry("too fast", `{"name": "set", "on": true, "rate": 1e9}`, http.StatusBadRequest, "at most 2000", patience),
		Entry("with a negative rate", `{"name": "set", "on": true, "rate": -1}`, http.StatusBadRequest, "at most 2000", patience),
	)

	It("that cannot be set up say why, and may be tried again", func(ctx SpecContext) {
		p, c := playFake(ctx)
		setHook := func(hook func(context.Context, target.Request) error) {
			for i := range 3 {
				c.Node(i).OnQuery(hook)
			}
		}
		setHook(func(context.Context, target.Request) error {
			return &target.Error{Message: "there are no words for it", Outcome: target.NotApplied}
		})
		Expect(p.refused(ctx, "load", `{"name": "set", "on": true}`, http.StatusConflict)).
			To(And(HavePrefix("Set up workload set: "), HaveSuffix("(not applied)")))
		Expect(p.workload(ctx, "set")).To(And(HaveField("Running", false), HaveField("Error", ContainSubstring("there are no words for it"))))
		setHook(nil)
		p.load(ctx, `{"name": "set", "on": true}`)
		Expect(p.workload(ctx, "set")).To(And(HaveField("Running", true), HaveField("Error", "")))
	}, patience)

	It("have a description each", func() {
		for _, w := range slices.Concat(workload.Workloads("x"), workload.Interactive("x", target.Serializable)) {
			Expect(live.Docs()).To(HaveKey(w.Name()))
		}
	})
})
