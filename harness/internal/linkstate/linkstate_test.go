package linkstate_test

import (
	"math/rand/v2"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/network"
)

var _ = Describe("The state of links", func() {
	var (
		w *linkstate.Links

		sound   = fault.Rule{}
		dropped = fault.Rule{Action: fault.Drop}
		refused = fault.Rule{Action: fault.Refuse}
		slow    = fault.Rule{Latency: time.Second, Loss: 0.5}
	)

	BeforeEach(func() {
		w = linkstate.New("client")
		for _, node := range []string{"n0", "n1", "n2"} {
			Expect(w.Add(node)).To(BeEmpty())
		}
	})

	change := func(from, to string, rule fault.Rule) linkstate.Change {
		return linkstate.Change{Link: network.Link{From: from, To: to}, Rule: rule}
	}
	rule := func(from, to string) fault.Rule { return w.Effective(network.Link{From: from, To: to}) }
	isolate := func(node string) []linkstate.Change {
		GinkgoHelper()
		changes, err := w.SetIsolated(node, true)
		Expect(err).NotTo(HaveOccurred())
		return changes
	}
	rejoin := func(node string) []linkstate.Change {
		GinkgoHelper()
		changes, err := w.SetIsolated(node, false)
		Expect(err).NotTo(HaveOccurred())
		return changes
	}

	It("is sound at first", func() {
		for _, host := range []string{"client", "n0", "n1", "n2"} {
			Expect(w.Of(host)).To(BeEmpty())
		}
	})

	It("changes one link, one way", func() {
		Expect(w.SetRule("n0", "n1", slow)).To(ConsistOf(change("n0", "n1", slow)))
		Expect(rule("n0", "n1")).To(Equal(slow))
		Expect(rule("n1", "n0")).To(Equal(sound))
		Expect(w.SetRule("n0", "n1", slow)).To(ConsistOf(change("n0", "n1", slow)), "it is so already, and set anew")
		Expect(w.SetRule("n0", "n1", sound)).To(ConsistOf(change("n0", "n1", sound)))
	})

	It("surrounds an isolated node with silence, and refuses its clients", func() {
		Expect(isolate("n1")).To(ConsistOf(
			change("n1", "n0", dropped), change("n0", "n1", dropped),
			change("n1", "n2", dropped), change("n2", "n1", dropped),
			change("n1", "client", refused), change("client", "n1", refused),
		))
		Expect(isolate("n1")).To(BeEmpty())
		Expect(rejoin("n1")).To(HaveLen(6))
		Expect(w.Of("n1")).To(BeEmpty())
	})

	It("keeps the link of two isolated nodes cut until both are back", func() {
		isolate("n0")
		Expect(isolate("n1")).NotTo(ContainElement(HaveField("Link", network.Link{From: "n0", To: "n1"})))
		Expect(rejoin("n0")).NotTo(ContainElement(HaveField("Link", network.Link{From: "n0", To: "n1"})))
		Expect(rule("n0", "n1")).To(Equal(dropped))
		Expect(rejoin("n1")).To(ContainElement(change("n0", "n1", sound)))
	})

	It("goes back to the rule when the isolation is over, also to one that was set meanwhile", func() {
		Expect(w.SetRule("n0", "n1", refused)).To(HaveLen(1))
		Expect(isolate("n1")).To(ContainElement(change("n0", "n1", dropped)))
		Expect(w.SetRule("n2", "n1", slow)).To(ConsistOf(HaveField("Rule.Action", fault.Drop)), "it is cut all the same")
		Expect(w.SetRule("n2", "n1", dropped)).To(ConsistOf(change("n2", "n1", dropped)))
		rejoin("n1")
		Expect(rule("n0", "n1")).To(Equal(refused))
		Expect(rule("n1", "n0")).To(Equal(sound))
		Expect(rule("n2", "n1")).To(Equal(dropped))
	})

	It("takes in a new node, cut off from those that are isolated", func() {
		isolate("n2")
		Expect(w.Add("n3")).To(ConsistOf(change("n3", "n2", dropped), change("n2", "n3", dropped)))
		Expect(rejoin("n2")).To(ContainElements(change("n3", "n2", sound), change("n2", "n3", sound)))
	})

	It("forgets a node, and all that was said of its links", func() {
		isolate("n2")
		Expect(w.SetRule("n0", "n2", slow)).To(HaveLen(1))
		w.Forget("n2")
		Expect(w.Of("n0")).To(BeEmpty())
		Expect(w.Add("n2")).To(BeEmpty())
	})

	DescribeTable("refuses what cannot be, and stays as it was", func(from, to string, rule fault.Rule, message string) {
		_, err := w.SetRule(from, to, rule)
		Expect(err).To(MatchError(ContainSubstring(message)))
		Expect(w.Of("n0")).To(BeEmpty())
	},
		Entry(nil, "n9", "n0", slow, `set the link from n9 to n0: there is no host "n9"`),
		Entry(nil, "n0", "n9", slow, `there is no host "n9"`),
		Entry(nil, "n0", "n0", slow, "a host always reaches itself"),
		Entry(nil, "n0", "n1", fault.Rule{Loss: 1}, "loss 1 must be at least 0 and below 1"),
	)

	It("isolates nodes only", func() {
		for _, name := range []string{"n9", "client"} {
			_, err := w.SetIsolated(name, true)
			Expect(err).To(MatchError(ContainSubstring("there is no such node")))
		}
		_, err := w.Add("n0")
		Expect(err).To(MatchError(`there is a host "n0" already`))
	})

	It("names in its changes all that differs, whatever happens", func() {
		hosts := []string{"client", "n0", "n1", "n2"}
		r := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 0))
		rules := []fault.Rule{sound, dropped, refused, slow}
		made := make(map[network.Link]fault.Rule) // what a network would be that does as it is told
		for range 2000 {
			var changes []linkstate.Change
			var err error
			if from, to := r.IntN(4), r.IntN(4); r.IntN(2) == 0 && from != to {
				changes, err = w.SetRule(hosts[from], hosts[to], rules[r.IntN(4)])
			} else {
				changes, err = w.SetIsolated(hosts[1+r.IntN(3)], r.IntN(2) == 0)
			}
			Expect(err).NotTo(HaveOccurred())
			for _, change := range changes {
				made[change.Link] = change.Rule
			}
			for _, from := range hosts {
				for _, to := range hosts {
					Expect(made[network.Link{From: from, To: to}]).To(Equal(rule(from, to)))
				}
			}
		}
	})
})
