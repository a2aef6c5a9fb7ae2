package specs

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// flags are specs about what the harness reports of nodes, and about its waits. Each node in
// turn is made to report another status than its own.
func flags(env *environment) {
	Describe("The reported state of a node", Label("suite:flags"), func() {
		var say *told

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			say = &told{}
		})

		indexes := func(nodes []*harness.Node) (all []int) {
			for _, node := range nodes {
				all = append(all, node.Index())
			}
			return all
		}

		It("follows its own flag", Label("fault:isolate"), func(ctx SpecContext) {
			for _, node := range env.cluster.Nodes() {
				i := node.Index()
				env.leave(ctx, i)
				for _, other := range env.cluster.Nodes() {
					Expect(env.cluster.IsNodeOnline(other.Index())).To(Equal(other.Index() != i))
					mode, lost := env.cluster.Lost(other.Index())
					Expect(lost).To(Equal(other.Index() == i))
					if lost {
						Expect(mode).To(Equal(fault.Isolate))
					}
				}
				Expect(indexes(env.cluster.OnlineNodes())).To(Equal(env.others(i)))
				Expect(env.cluster.TakeNodeOffline(ctx, i)).To(MatchError(harness.ErrAlreadyOffline))
				Expect(env.cluster.BringNodeOnline(ctx, env.others(i)[0])).To(MatchError(harness.ErrAlreadyOnline))
				env.comeBack(ctx, i)
				Expect(env.cluster.IsNodeOnline(i)).To(BeTrue())
				Expect(env.cluster.OnlineNodes()).To(HaveLen(env.cluster.Size()))
			}
			_, err := env.cluster.IsNodeOnline(env.cluster.Size())
			Expect(err).To(HaveOccurred())
			_, err = env.cluster.IsNodeOnline(-1)
			Expect(err).To(HaveOccurred())
		}, env.patience)

		It("does not change if the fault fails", func(ctx SpecContext) {
			cluster := env.hearing(ctx, say)
			for _, node := range env.cluster.Nodes() {
				say.isolate = func(int) error { return errOfSpec }
				Expect(cluster.TakeNodeOffline(ctx, node.Index())).To(MatchError(errOfSpec))
				Expect(cluster.IsNodeOnline(node.Index())).To(BeTrue())
				Expect(cluster.OnlineNodes()).To(HaveLen(cluster.Size()))
			}
		}, env.patience)

		// until changes what a node reports at its first probes, and counts the probes.
		until := func(node, looks int, otherwise func(*target.Status)) *counted {
			asked := &counted{}
			say.status = func(at int, s target.Status) target.Status {
				if at == node && asked.next(at) <= looks {
					otherwise(&s)
				}
				return s
			}
			return asked
		}
		const looks = 4
		behind := map[string]func(*target.Status){
			"connecting": func(s *target.Status) { s.State = target.Connecting },
			"syncing":    func(s *target.Status) { s.State = target.Syncing },
			"leaving":    func(s *target.Status) { s.State = target.Leaving },
			"offline":    func(s *target.Status) { s.State = target.Offline },
			"one behind": func(s *target.Status) { s.AppliedIndex-- },
		}

		It("is online only once it says so and has applied the commit index", func(ctx SpecContext) {
			for _, node := range env.cluster.Nodes() {
				for what, otherwise := range behind {
					say.status = nil
					cluster := env.hearing(ctx, say)
					asked := until(node.Index(), looks, otherwise)
					Expect(cluster.WaitForNodeOnline(ctx, node.Index())).To(Succeed())
					Expect(asked.of(node.Index())).To(BeNumerically(">", looks), "%s was %s", node, what)
					asked = until(node.Index(), looks, otherwise)
					Expect(cluster.WaitForAllOnline(ctx)).To(Succeed())
					Expect(asked.of(node.Index())).To(BeNumerically(">", looks), "%s was %s, waiting for all", node, what)
					asked = until(node.Index(), looks, otherwise)
					Expect(cluster.Heal(ctx)).To(Succeed())
					Expect(asked.of(node.Index())).To(BeNumerically(">", looks), "%s was %s, healing", node, what)
				}
			}
		}, env.patience)

		It("is caught up only with the commit index of every other node", func(ctx SpecContext) {
			const more = 100
			for _, node := range env.cluster.Nodes() {
				for _, other := range env.others(node.Index()) {
					say.status = nil
					cluster := env.hearing(ctx, say)
					heard, err := cluster.Node(node.Index())
					Expect(err).NotTo(HaveOccurred())
					// knowing has the other report a higher commit index, which the node applies after some probes.
					knowing := func(looks int) *counted {
						asked := &counted{}
						say.status = func(at int, s target.Status) target.Status {
							if at == other {
								s.CommitIndex += more
							}
							if at != node.Index() || asked.next(at) > looks {
								s.AppliedIndex += more
							}
							return s
						}
						return asked
					}
					for what, wait := range map[string]func() error{
						"a wait for it":  func() error { return cluster.WaitForNodeOnline(ctx, node.Index()) },
						"a wait for all": func() error { return cluster.WaitForAllOnline(ctx) },
						"healing":        func() error { return cluster.Heal(ctx) },
					} {
						asked := knowing(looks)
						Expect(wait()).To(Succeed())
						Expect(asked.of(node.Index())).To(BeNumerically(">", looks), "%s did not wait for the commit index of node %d: %s", node, other, what)
					}
					knowing(1000)
					Expect(HaveCaughtUp().Match(heard)).To(BeFalse())
					Expect(BeOnline().Match(heard)).To(BeTrue())
					knowing(0)
					Expect(HaveCaughtUp().Match(heard)).To(BeTrue())
				}
			}
		}, env.patience)

		It("ends a wait with the reason: the node failed, or its flag is offline", func(ctx SpecContext) {
			for _, node := range env.cluster.Nodes() {
				say.status = nil
				cluster := env.hearing(ctx, say)
				until(node.Index(), 1000, func(s *target.Status) { s.State = target.Failed })
				Expect(cluster.WaitForNodeOnline(ctx, node.Index())).To(MatchError(harness.ErrFailed))
				Expect(cluster.WaitForAllOnline(ctx)).To(MatchError(harness.ErrFailed))
				Expect(cluster.Heal(ctx)).To(MatchError(harness.ErrFailed))
				Expect(cluster.VerifyDataConsistency(ctx, "SELECT 1")).To(MatchError(harness.ErrFailed))

				say.status = nil
				cluster = env.hearing(ctx, say)
				heard, err := cluster.Node(node.Index())
				Expect(err).NotTo(HaveOccurred())
				until(node.Index(), 1000, func(s *target.Status) { s.AppliedIndex-- })
				Expect(HaveCaughtUp().Match(heard)).To(BeFalse(), "it is one behind")
				say.status = nil
				Expect(HaveCaughtUp().Match(heard)).To(BeTrue())
				Expect(cluster.TakeNodeOffline(ctx, node.Index())).To(Succeed())
				until(node.Index(), 1000, func(s *target.Status) { s.State = target.Online })
				Expect(BeOnline().Match(heard)).To(BeFalse(), "its flag is offline")
				say.status = nil
				for _, wait := range []func(context.Context) error{
					func(ctx context.Context) error { return cluster.WaitForNodeOnline(ctx, node.Index()) }, cluster.WaitForAllOnline,
				} {
					short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
					failures := waitErrors(wait(short)) // of others too, on a busy machine
					cancel()
					Expect(failures).To(ContainElement(And(HaveField("Node", node.Index()), HaveField("Flag", false))))
				}
				Expect(cluster.Heal(ctx)).To(Succeed())
			}
		}, env.patience)

		It("is matched by the matcher of that state only", func(ctx SpecContext) {
			cluster := env.hearing(ctx, say)
			for _, node := range cluster.Nodes() {
				for state, holds := range map[target.State][]bool{
					target.Connecting: {true, false, false, false, false, false},
					target.Syncing:    {false, true, false, false, false, false},
					target.Online:     {false, false, true, false, false, false},
					target.Leaving:    {false, false, false, true, false, false},
					target.Offline:    {false, false, false, false, true, false},
					target.Failed:     {false, false, false, false, false, true},
				} {
					until(node.Index(), 1000, func(s *target.Status) { s.State = state })
					var found []bool
					for _, matcher := range []interface{ Match(any) (bool, error) }{BeConnecting(), BeSyncing(), BeOnline(), BeLeaving(), BeOffline(),
						BeFailed()} {
						matched, err := matcher.Match(node)
						Expect(err).NotTo(HaveOccurred())
						found = append(found, matched)
					}
					Expect(found).To(Equal(holds), "%s is %s", node, state)
				}
			}
		}, env.patience)

		It("is leader only if a quorum says so", func(ctx SpecContext) {
			cluster := env.hearing(ctx, say)
			for _, node := range env.cluster.Nodes() {
				for voters := range env.cluster.Size() + 1 {
					say.status = func(at int, s target.Status) target.Status {
						if s.Leader = ""; (at-node.Index()+env.cluster.Size())%env.cluster.Size() < voters {
							s.Leader = node.ID()
						}
						return s
					}
					leader, err := cluster.Leader(ctx)
					matched, _ := HaveLeader().Match(cluster)
					Expect(matched).To(Equal(voters >= cluster.Quorum()))
					if voters < cluster.Quorum() {
						Expect(err).To(MatchError(harness.ErrNoLeader), "%d nodes say that %s leads", voters, node)
						continue
					}
					Expect(err).NotTo(HaveOccurred())
					Expect(leader).To(Equal(node.Index()))
				}
			}
		}, env.patience)

		It("comes with answers of that node to its own requests", func(ctx SpecContext) {
			const question = "SELECT 'which node'"
			asked := make(chan target.Request, 100)
			say.request = func(node int, request target.Request) target.Request {
				if request.SQL == question {
					asked <- request
					request.SQL = fmt.Sprintf("SELECT %d", node)
				}
				return request
			}
			cluster := env.hearing(ctx, say)
			whose := func(r harness.Result) {
				GinkgoHelper()
				Expect(r).To(HaveRows(Row(r.Node)))
				Expect(r.ID).To(Equal(env.node(r.Node).ID()))
			}
			for _, level := range []target.Consistency{target.Default, target.Local, target.Leader, target.Strong} {
				view := cluster.Reading(level)
				results, err := view.ExecuteOnAll(ctx, question)
				Expect(err).NotTo(HaveOccurred())
				Expect(results).To(HaveLen(cluster.Size()))
				for i, r := range results {
					Expect(r.Node).To(Equal(i), "the answers are not in the order of the nodes")
					whose(r)
				}
				for _, node := range view.Nodes() {
					r, err := node.Execute(ctx, question)
					Expect(err).NotTo(HaveOccurred())
					Expect(r.Node).To(Equal(node.Index()))
					whose(r)
					r, err = node.Inside().Execute(ctx, question)
					Expect(err).NotTo(HaveOccurred())
					Expect(r.Node).To(Equal(node.Index()))
					whose(r)
				}
				for range 3 {
					r, err := view.ExecuteOnRandom(ctx, question)
					Expect(err).NotTo(HaveOccurred())
					whose(r)
					r, err = view.ExecuteWithRetry(ctx, question)
					Expect(err).NotTo(HaveOccurred())
					whose(r)
				}
				for len(asked) > 0 {
					Expect((<-asked).Consistency).To(Equal(level))
				}
			}
		}, env.patience)

		It("is the same in every kind of observation", func(ctx SpecContext) {
			cluster := env.hearing(ctx, say)
			say.status = func(at int, s target.Status) target.Status {
				s.Memory = uint64(1000 + at)
				return s
			}
			for _, look := range [][]harness.Observation{cluster.Observe(ctx), cluster.Peek(ctx)} {
				Expect(look).To(HaveLen(cluster.Size()))
				for i, l := range look {
					Expect(l.Err).NotTo(HaveOccurred())
					Expect(l.Node.Index()).To(Equal(i))
					Expect(l.Status.ID).To(Equal(l.Node.ID()))
					Expect(l.Status.Memory).To(BeEquivalentTo(1000 + i))
				}
			}
			used, err := cluster.Measure(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(slices.IndexFunc(used, func(u harness.Usage) bool { return u.Memory != uint64(1000+u.Node) })).To(Equal(-1))
			Expect(used).To(HaveLen(cluster.Size()))
		}, env.patience)
	})
}

// waitErrors are the errors of waiting for single nodes that are joined in an error.
func waitErrors(err error) (found []*harness.WaitError) {
	switch e := err.(type) { //nolint:errorlint // it takes joined errors apart
	case *harness.WaitError:
		return []*harness.WaitError{e}
	case interface{ Unwrap() []error }:
		for _, joined := range e.Unwrap() {
			found = append(found, waitErrors(joined)...)
		}
	case interface{ Unwrap() error }:
		return waitErrors(e.Unwrap())
	}
	return found
}
