package specs

import (
	"context"
	"fmt"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// promises are specs about VerifyInvariants: each node in turn reports what violates an
// invariant.
func promises(env *environment) {
	Describe("The invariants of a cluster", Label("suite:promises"), func() {
		var say *told

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			say = &told{}
		})

		broken := func(err error, words ...string) {
			GinkgoHelper()
			Expect(err).To(MatchError(harness.ErrInvariant))
			for _, word := range words {
				Expect(err).To(MatchError(ContainSubstring(word)))
			}
		}

		// leading makes a node report that it led in these terms, and the others in none.
		leading := func(node int, terms ...uint64) {
			say.status = func(at int, s target.Status) target.Status {
				if s.LedTerms = nil; at == node {
					s.LedTerms = terms
				}
				return s
			}
		}

		It("include one leader per term, even if nodes forget their terms", func(ctx SpecContext) {
			for _, one := range env.cluster.Nodes() {
				for _, other := range env.others(one.Index()) {
					cluster := env.hearing(ctx, say)
					leading(one.Index(), 1000, 1002, 1004)
					Expect(cluster.VerifyInvariants(ctx)).To(Succeed())
					leading(other, 1001, 1003)
					Expect(cluster.VerifyInvariants(ctx)).To(Succeed())
					leading(other, 1001, 1002, 1003) // neither the first nor the last term of either node
					broken(cluster.VerifyInvariants(ctx), "both led in term 1002", one.String(), env.node(other).String())
					say.status = nil
					broken(cluster.VerifyInvariants(ctx), "both led in term 1002")
					Expect(cluster.Journal().Events()).To(ContainElement(HaveField("Text", "one leader a term")))
				}
			}
		}, env.patience)

		It("include one leader per term, however the terms were observed", func(ctx SpecContext) {
			asking := map[string]func(cluster *harness.Cluster) error{
				"its status": func(cluster *harness.Cluster) error {
					node, err := cluster.Node(2)
					Expect(err).NotTo(HaveOccurred())
					_, err = node.Status(ctx)
					return err
				},
				"a look":           func(cluster *harness.Cluster) error { cluster.Observe(ctx); return nil },
				"a wait for it":    func(cluster *harness.Cluster) error { return cluster.WaitForNodeOnline(ctx, 2) },
				"a wait for all":   func(cluster *harness.Cluster) error { return cluster.WaitForAllOnline(ctx) },
				"who leads":        func(cluster *harness.Cluster) error { _, err := cluster.Leader(ctx); return err },
				"what it takes":    func(cluster *harness.Cluster) error { _, err := cluster.Measure(ctx); return err },
				"a comparison":     func(cluster *harness.Cluster) error { return cluster.VerifyDataConsistency(ctx, "SELECT 1") },
				"its end, stopped": func(cluster *harness.Cluster) error { return gone(ctx, cluster, fault.Stop, target.Stop) },
				"its end, crashed": func(cluster *harness.Cluster) error { return gone(ctx, cluster, fault.Crash, target.Crash) },
			}
			for what, ask := range asking {
				cluster := env.hearing(ctx, say)
				leading(2, 1000)
				Expect(ask(cluster)).To(Succeed(), what)
				leading(0, 1000)
				cluster.Observe(ctx)
				say.status = nil
				Expect(cluster.Heal(ctx)).To(Succeed())
				broken(cluster.VerifyInvariants(ctx), "both led in term 1000")
			}
		}, env.patience)

		It("include that a node keeps its vote", func(ctx SpecContext) {
			voted := func(node int, vote target.Vote) {
				say.status = func(at int, s target.Status) target.Status {
					if at == node {
						s.Vote = vote
					}
					return s
				}
			}
			for _, node := range env.cluster.Nodes() {
				for _, forgets := range []struct {
					vote target.Vote
					why  string
				}{
					{target.Vote{Term: 1000, For: "another"}, "voted in term 1000 for one, and for another"},
					{target.Vote{Term: 1000}, "voted in term 1000 for one, and for "},
					{target.Vote{Term: 999, For: "one"}, "had voted for one in term 1000, and has forgotten it"},
					{target.Vote{}, "has forgotten it"},
				} {
					cluster := env.hearing(ctx, say)
					voted(node.Index(), target.Vote{Term: 999, For: "another"})
					Expect(cluster.VerifyInvariants(ctx)).To(Succeed())
					voted(node.Index(), target.Vote{Term: 1000, For: "one"})
					Expect(cluster.VerifyInvariants(ctx)).To(Succeed(), "a vote in the next term is valid")
					Expect(cluster.VerifyInvariants(ctx)).To(Succeed())
					voted(node.Index(), forgets.vote)
					broken(cluster.VerifyInvariants(ctx), forgets.why, node.String())
					say.status = nil
				}
			}
			By("isolating the node")
			cluster := env.hearing(ctx, say)
			voted(1, target.Vote{Term: 1000, For: "one"})
			cluster.Observe(ctx)
			Expect(cluster.TakeNodeOffline(ctx, 1)).To(Succeed())
			voted(1, target.Vote{Term: 1000, For: "another"})
			cluster.Observe(ctx)
			say.status = nil
			Expect(cluster.Heal(ctx)).To(Succeed())
			broken(cluster.VerifyInvariants(ctx), "voted in term 1000 for one, and for another")
		}, env.patience)

		It("include equal digests on all nodes", func(ctx SpecContext) {
			if _, digests := target.As[target.Digester](env.booted); !digests {
				Skip("the target cannot compute digests")
			}
			cluster := env.hearing(ctx, say)
			Expect(cluster.VerifyInvariants(ctx)).To(Succeed())
			for _, node := range env.cluster.Nodes() {
				say.digest = func(at int, index uint64, sum string) (uint64, string) {
					if at == node.Index() {
						sum += "0"
					}
					return index, sum
				}
				broken(cluster.VerifyInvariants(ctx), "hold different data", node.String())

				By("waiting for a node that is behind")
				const behind = 3
				var asked counted
				say.digest = func(at int, index uint64, sum string) (uint64, string) {
					if at == node.Index() && asked.next(at) <= behind {
						index, sum = index-1, "older"
					}
					return index, sum
				}
				Expect(cluster.VerifyInvariants(ctx)).To(Succeed())
				Expect(asked.of(node.Index())).To(BeNumerically(">", behind), "it did not wait for %s", node)
			}
		}, env.patience)

		It("include every acknowledged change on every node, however it was sent", func(ctx SpecContext) {
			env.requires(target.Dedup)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY AUTOINCREMENT, v INTEGER)")
			insert := env.sql("INSERT INTO {ns}.t (v) VALUES (1)")
			var mu sync.Mutex
			var ids []string
			say.request = func(_ int, request target.Request) target.Request {
				mu.Lock()
				defer mu.Unlock()
				if request.SQL == insert {
					ids = append(ids, request.ID)
				}
				return request
			}
			cluster := env.hearing(ctx, say)
			node, err := cluster.Node(1)
			Expect(err).NotTo(HaveOccurred())
			Expect(node.Execute(ctx, insert)).Error().NotTo(HaveOccurred())
			Expect(node.Inside().Execute(ctx, insert)).Error().NotTo(HaveOccurred())
			Expect(node.ExecuteAs(ctx, "key-of-"+env.ns, insert)).Error().NotTo(HaveOccurred())
			Expect(node.ExecuteWithRetry(ctx, insert)).Error().NotTo(HaveOccurred())
			Expect(cluster.ExecuteOnRandom(ctx, insert)).Error().NotTo(HaveOccurred())
			Expect(cluster.ExecuteWithRetry(ctx, insert)).Error().NotTo(HaveOccurred())
			Expect(cluster.ExecuteOnAll(ctx, insert)).Error().NotTo(HaveOccurred())
			Expect(cluster.Reading(target.Strong).ExecuteOnRandom(ctx, insert)).Error().NotTo(HaveOccurred())
			Expect(ids).To(HaveLen(7 + cluster.Size()))
			Expect(cluster.VerifyInvariants(ctx)).To(Succeed())

			for _, node := range env.cluster.Nodes() {
				for _, id := range ids {
					say.remembered = func(at int, ids map[string]bool) {
						if at == node.Index() {
							delete(ids, id)
						}
					}
					broken(cluster.VerifyInvariants(ctx), fmt.Sprintf("%s lacks 1 acknowledged changes, the first is %s", node, id))
				}
				say.remembered = nil
			}
			Expect(cluster.VerifyInvariants(ctx)).To(Succeed())

			By("ignoring requests that failed or changed nothing")
			Expect(cluster.ExecuteOnRandom(ctx, env.sql("INSERT INTO {ns}.no_such_table VALUES (1)"))).Error().To(HaveOccurred())
			Expect(cluster.ExecuteOnRandom(ctx, env.sql("SELECT * FROM {ns}.t"))).Error().NotTo(HaveOccurred())
			Expect(cluster.VerifyInvariants(ctx)).To(Succeed())
		}, env.patience)

		It("include the latest acknowledged changes, as many as nodes remember", func(ctx SpecContext) {
			env.requires(target.Dedup)
			const watched, sent = 3, 8
			env.run(ctx, "CREATE TABLE {ns}.t (v INTEGER)")
			say.memory = 2 * watched
			cluster := env.hearing(ctx, say)
			node, err := cluster.Node(0)
			Expect(err).NotTo(HaveOccurred())
			for i := range sent {
				_, err := node.ExecuteAs(ctx, fmt.Sprintf("key-%d-of-%s", i, env.ns), env.sql("INSERT INTO {ns}.t VALUES (?)"), i)
				Expect(err).NotTo(HaveOccurred())
				for back := range min(i+1, watched+1) {
					lost := fmt.Sprintf("key-%d-of-%s", i-back, env.ns)
					say.remembered = func(at int, ids map[string]bool) {
						if at == 2 {
							delete(ids, lost)
						}
					}
					err := cluster.VerifyInvariants(ctx)
					if back < watched {
						broken(err, "node 2 (n2) lacks 1 acknowledged changes, the first is "+lost)
					} else {
						Expect(err).NotTo(HaveOccurred(), "a node may have forgotten it")
					}
				}
			}
		}, env.patience)

		It("cannot be verified while a node is offline", Label("fault:isolate"), func(ctx SpecContext) {
			cluster := env.hearing(ctx, say)
			for _, node := range env.cluster.Nodes() {
				Expect(cluster.TakeNodeOffline(ctx, node.Index())).To(Succeed())
				Expect(cluster.VerifyInvariants(ctx)).To(MatchError(ContainSubstring("%s is offline (isolate)", node)))
				Expect(cluster.Heal(ctx)).To(Succeed())
			}
			Expect(cluster.VerifyInvariants(ctx)).To(Succeed())
		}, env.patience)

		It("can be checked in the journal, which has every action and its outcome", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			cluster := env.hearing(ctx, say)
			insert := env.sql("INSERT INTO {ns}.t VALUES (1)")
			for _, node := range env.cluster.Nodes() {
				heard, err := cluster.Node(node.Index())
				Expect(err).NotTo(HaveOccurred())
				before := operations(cluster)
				_, err = heard.Execute(ctx, insert)
				want := journal.OK
				if node.Index() > 0 {
					Expect(err).To(HaveOccurred())
					want = journal.Failed
				}
				Expect(operations(cluster)).To(Equal(before + 1))
				Expect(cluster.Journal().Events()).To(ContainElement(And(HaveField("Kind", journal.Operation), HaveField("Node", node.Index()),
					HaveField("Text", insert), HaveField("Op.Outcome", want), HaveField("Op.Mutates", true), HaveField("Op.ID", HavePrefix("harness-")))))
			}
			Expect(cluster.ExecuteOnRandom(ctx, "SELECT 1")).To(HaveRows(Row(1)))
			Expect(cluster.Journal().Events()).To(
				ContainElement(And(HaveField("Text", "SELECT 1"), HaveField("Op.Mutates", false), HaveField("Op.Outcome", journal.OK))))
			if cluster.Can(target.Links) {
				By("losing an answer")
				const lost = "INSERT INTO {ns}.t VALUES (99)"
				Expect(cluster.Cut(ctx, fault.Drop, fault.Link{From: 0, To: fault.Clients})).To(Succeed())
				first, err := cluster.Node(0)
				Expect(err).NotTo(HaveOccurred())
				err = env.timely(ctx, func(ctx context.Context) error { _, err := first.Execute(ctx, env.sql(lost)); return err })
				Expect(err).To(HaveOccurred())
				want := journal.Unknown
				if target.OutcomeOf(err) == target.NotApplied { // the client had waited for an answer before it sent the write
					want = journal.Failed
				}
				Expect(cluster.Journal().Events()).To(ContainElement(And(HaveField("Text", env.sql(lost)), HaveField("Op.Outcome", want))))
				Expect(cluster.Heal(ctx)).To(Succeed())
				noteSteps(env.cluster.Journal())
				Expect(env.cluster.Journal().Events()).To(ContainElements(
					And(HaveField("Kind", journal.Spec), HaveField("Spec.Name", CurrentSpecReport().FullText()), HaveField("Place.File", "promises.go")),
					And(HaveField("Kind", journal.By), HaveField("Text", "losing an answer"), HaveField("Place.File", "promises.go"))))
			}
			Expect(cluster.TakeNodeOffline(ctx, 2)).To(Succeed())
			Expect(cluster.Heal(ctx)).To(Succeed())
			Expect(cluster.Journal().Events()).To(ContainElements(
				And(HaveField("Kind", journal.Flag), HaveField("Node", 2), HaveField("Flag.Online", false)),
				And(HaveField("Kind", journal.Fault), HaveField("Node", 2), HaveField("Fault.Kind", fault.KindIsolate),
					HaveField("Fault.Phase", journal.Begins)),
				And(HaveField("Kind", journal.Fault), HaveField("Node", 2), HaveField("Fault.Kind", fault.KindIsolate),
					HaveField("Fault.Phase", journal.Ends)),
				And(HaveField("Kind", journal.Flag), HaveField("Node", 2), HaveField("Flag.Online", true))))
		}, env.patience)
	})
}

// gone loses node 2 in that mode if the target can, and only observes it otherwise.
func gone(ctx context.Context, cluster *harness.Cluster, mode fault.Mode, need target.Ability) error {
	if !cluster.Can(need) {
		cluster.Observe(ctx)
		return nil
	}
	return cluster.TakeNodeOffline(ctx, 2, mode)
}

// operations is the number of operations in the cluster's journal.
func operations(cluster *harness.Cluster) (n int) {
	for _, e := range cluster.Journal().Events() {
		if e.Kind == journal.Operation {
			n++
		}
	}
	return n
}
