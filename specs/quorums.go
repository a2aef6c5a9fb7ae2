package specs

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// quorums are specs about the size of a quorum in a cluster that begins with one node.
func quorums(env *environment) {
	Describe("A quorum", Label("suite:quorums", "fault:isolate", "needs:members"), func() {
		It("is a majority of the current voters at each size of the cluster", func(ctx SpecContext) {
			env.requires(target.Members)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT)")
			const largest = 5
			written := 0
			// enough proves that one node less than a quorum commits no write, and a quorum does. The nodes
			// that were added last are left.
			enough := func(leaderToo bool) {
				GinkgoHelper()
				size := env.cluster.Size()
				quorum := size/2 + 1
				Expect(env.cluster.Quorum()).To(Equal(quorum))
				env.agreeOnMembers(ctx, size)
				if size == 1 {
					env.run(ctx, "INSERT INTO {ns}.t (v) VALUES ('one')")
					written++
					return
				}
				spare := size - quorum
				leader := env.leader(ctx)
				gone := env.others(leader)[:spare+1] // all at once: a group that is left alone may have a quorum of its own by then
				for _, node := range gone {
					env.leave(ctx, node)
				}
				env.noQuorum(ctx, leader, "INSERT INTO {ns}.t (v) VALUES ('tried')")
				env.comeBack(ctx, gone...)

				leader = env.leader(ctx)
				gone = env.others(leader)
				if leaderToo {
					gone = append([]int{leader}, gone...)
				}
				for _, node := range gone[:spare] {
					env.leave(ctx, node)
				}
				env.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES ('a quorum')")
				written++
				env.comeBack(ctx, gone[:spare]...)
			}

			enough(false)
			for env.cluster.Size() < largest {
				added, err := env.cluster.AddNode(ctx)
				Expect(err).NotTo(HaveOccurred())
				Expect(env.cluster.WaitForNodeOnline(ctx, added.Index())).To(Succeed())
				enough(env.cluster.Size() == 4)
			}
			for env.cluster.Size() > 1 {
				leader := env.leader(ctx)
				gone := leader
				if env.cluster.Size() == 4 {
					gone = env.others(leader)[0]
				}
				Expect(env.cluster.RemoveNode(ctx, gone)).To(Succeed())
				env.leader(ctx)
				enough(env.cluster.Size() == 3)
			}
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t WHERE v <> 'tried'")).To(HaveRows(Row(written)))
		}, env.patience)
	})
}

// nonVoters are specs about members without a vote.
func nonVoters(env *environment) {
	Describe("Non-voters", Label("suite:quorums", "fault:isolate", "needs:members"), func() {
		It("count for no commit, read, election or lease until they are promoted", func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Members, target.Links)
			env.assumes(target.Learners, target.StepsDown, target.HTTPAPI)
			if env.cluster.Size() != 3 {
				Skip("the spec needs a cluster of exactly 3 nodes")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			var listeners []*harness.Node
			for range 2 {
				added, err := env.cluster.AddNode(ctx, harness.NonVoter)
				Expect(err).NotTo(HaveOccurred())
				Expect(added.Votes()).To(BeFalse())
				listeners = append(listeners, added)
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			Expect(env.cluster.Quorum()).To(Equal(2))
			env.agreeOnMembers(ctx, 3)
			voters := []int{0, 1, 2}
			// onlyListened proves that no non-voter ever stood for election.
			onlyListened := func() {
				GinkgoHelper()
				for _, l := range listeners {
					status := statusOf(ctx, l)
					Expect(status).To(And(HaveField("Role", "follower"), HaveField("Voter", false), HaveField("LedTerms", BeEmpty())), "%s", l)
					Expect(status.Vote.For).NotTo(Equal(status.Address), "%s has voted for itself", l)
				}
			}

			By("leaving the leader with the non-voters")
			leader := env.leader(ctx)
			term := statusOf(ctx, env.node(leader)).Term
			for _, voter := range voters {
				if voter != leader {
					env.leave(ctx, voter)
				}
			}
			var asking sync.WaitGroup // at once, while the leader still leads
			asking.Go(func() {
				defer GinkgoRecover()
				reading, cancel := context.WithTimeout(ctx, env.pace.withoutQuorum())
				defer cancel()
				_, err := env.node(leader).Inside().Reading(target.Strong).Execute(reading, "SELECT 1")
				Expect(err).To(HaveOccurred(), "a strong read was confirmed by non-voters")
			})
			asking.Go(func() {
				defer GinkgoRecover()
				said := env.askMembers(ctx, listeners[0].Index(), adding(listeners[1].ID(), statusOf(ctx, listeners[1]).Address, false))
				Expect(said.status).NotTo(Equal(http.StatusOK), "the members were changed without a quorum")
			})
			asking.Wait()
			env.noQuorum(ctx, leader, "INSERT INTO {ns}.t VALUES (-1)")
			Expect(statusOf(ctx, env.node(leader)).Role).NotTo(Equal("leader"), "its lease is renewed by non-voters")
			onlyListened()
			for _, l := range listeners {
				Expect(l.Reading(target.Local).Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
			}
			for _, voter := range voters {
				if voter != leader {
					env.comeBack(ctx, voter)
				}
			}

			By("leaving them with one follower that votes")
			leader = env.leader(ctx)
			Expect(statusOf(ctx, env.node(leader)).Term).To(BeNumerically(">", term))
			left := -1
			for _, voter := range voters {
				if voter != leader {
					left = voter
				}
			}
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			for _, voter := range voters {
				if voter != left {
					env.leave(ctx, voter)
				}
			}
			env.noQuorum(ctx, left, "INSERT INTO {ns}.t VALUES (-2)")
			Expect(statusOf(ctx, env.node(left)).LedTerms).NotTo(ContainElement(BeNumerically(">", statusOf(ctx, env.node(leader)).Term)))
			onlyListened()
			for _, voter := range voters {
				if voter != left {
					env.comeBack(ctx, voter)
				}
			}

			By("isolating a non-voter, which must not return with a higher term")
			env.leader(ctx)
			term = statusOf(ctx, listeners[0]).Term
			env.leave(ctx, listeners[0].Index())
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (2)")
			env.eventually(ctx, func(ctx context.Context) string { return statusOf(ctx, listeners[0]).Leader }).Should(BeEmpty())
			env.consistently(ctx, func(ctx context.Context) uint64 { return statusOf(ctx, listeners[0]).Term }).Should(Equal(term))
			env.comeBack(ctx, listeners[0].Index())
			onlyListened()

			By("promoting a non-voter that cannot catch up")
			if env.cluster.Can(target.Disks) {
				leader = env.leader(ctx)
				slow := listeners[0]
				Expect(env.cluster.SetDisk(ctx, slow.Index(), fault.Disk{Slow: 5 * env.pace.withoutQuorum()})).To(Succeed())
				env.runOn(ctx, env.node(leader), "INSERT INTO {ns}.t VALUES (-4)")
				asking, cancel := context.WithTimeout(ctx, env.pace.withoutQuorum())
				said, err := env.tryToAsk(asking, leader, env.authorized(asked{method: http.MethodPost, path: membersPath,
					body: adding(slow.ID(), statusOf(ctx, slow).Address, true)}))
				cancel()
				Expect(err != nil || said.status != http.StatusOK).To(BeTrue(), "a node that has not caught up was promoted")
				Expect(votersAmong(statusOf(ctx, env.node(leader)).Peers)).To(Equal(3), "a node that has not caught up votes")
				Expect(env.cluster.Heal(ctx)).To(Succeed())
			}

			By("promoting a non-voter, so that a quorum is three of four")
			leader = env.leader(ctx)
			promoted := listeners[1]
			env.changeMembers(ctx, leader, adding(promoted.ID(), statusOf(ctx, promoted).Address, true))
			env.agreeOnMembers(ctx, 4)
			for _, voter := range voters[:3] {
				if voter != leader {
					env.leave(ctx, voter)
					break
				}
			}
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (3)")
			env.leave(ctx, promoted.Index())
			env.noQuorum(ctx, env.leader(ctx), "INSERT INTO {ns}.t VALUES (-3)")
			Expect(env.cluster.Heal(ctx)).To(Succeed())

			By("demoting it")
			env.changeMembers(ctx, env.leader(ctx), adding(promoted.ID(), statusOf(ctx, promoted).Address, false))
			env.agreeOnMembers(ctx, 3)
			for _, l := range listeners {
				env.leave(ctx, l.Index())
			}
			env.leave(ctx, env.others(env.leader(ctx))[0])
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (4)")
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t WHERE id > 0")).To(HaveRows(Row(4)))
		}, env.patience)

		It("remain non-voters after a restart of all nodes, and are not made leader", Label("fault:crash"), func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Members, target.Crash, target.Stop)
			env.assumes(target.Learners)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			listener, err := env.cluster.AddNode(ctx, harness.NonVoter)
			Expect(err).NotTo(HaveOccurred())
			again := func(voters int) {
				GinkgoHelper()
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				env.agreeOnMembers(ctx, voters)
				for _, node := range env.cluster.Nodes() {
					env.leave(ctx, node.Index(), fault.Crash)
				}
				for _, node := range env.cluster.Nodes() {
					Expect(env.cluster.BringNodeOnline(ctx, node.Index())).To(Succeed())
				}
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				env.agreeOnMembers(ctx, voters)
				Expect(env.cluster.Quorum()).To(Equal(voters/2 + 1))
			}
			again(env.cluster.Size() - 1)
			gone := env.others(env.leader(ctx))
			gone = slices.DeleteFunc(gone, func(node int) bool { return node == listener.Index() })
			Expect(env.cluster.RemoveNode(ctx, gone[0])).To(Succeed())
			voters := env.cluster.Size() - 1
			again(voters)

			By("stopping the leader")
			old := env.leader(ctx)
			env.leave(ctx, old, fault.Stop)
			if env.cluster.Quorum() <= voters-1 {
				Expect(env.leader(ctx)).NotTo(Equal(listener.Index()))
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			}
			Expect(statusOf(ctx, listener)).To(And(HaveField("Role", "follower"), HaveField("LedTerms", BeEmpty())))
			env.comeBack(ctx, old)
			env.run(ctx, "INSERT INTO {ns}.t VALUES (2)")
		}, env.patience)
	})
}

// noQuorum proves that a running node does not acknowledge a write for longer than several
// elections take.
func (env *environment) noQuorum(ctx context.Context, node int, sql string) {
	GinkgoHelper()
	trying, cancel := context.WithTimeout(ctx, env.pace.withoutQuorum())
	defer cancel()
	_, err := env.node(node).Inside().Execute(trying, env.sql(sql))
	Expect(err).To(HaveOccurred(), "a write was committed without a quorum")
	Expect(target.OutcomeOf(err)).NotTo(Equal(target.Applied))
}

// agreeOnMembers waits until all members know the members that the harness knows, with that
// many voters. Which ones vote may have been changed behind the harness.
func (env *environment) agreeOnMembers(ctx context.Context, voters int) {
	GinkgoHelper()
	var want []any
	for _, node := range env.cluster.Nodes() {
		want = append(want, And(HaveField("ID", node.ID()), HaveField("Address", statusOf(ctx, node).Address)))
	}
	for _, node := range env.cluster.Nodes() {
		if len(statusOf(ctx, node).Peers) == 0 {
			continue // the target does not tell
		}
		env.eventually(ctx, func(g Gomega, ctx context.Context) {
			peers := statusOf(ctx, node).Peers
			g.Expect(peers).To(ConsistOf(want...), "%s knows other members", node)
			g.Expect(votersAmong(peers)).To(Equal(voters), "%s knows another number of voters", node)
		}).Should(Succeed())
	}
}

func votersAmong(peers []target.Peer) (count int) {
	for _, peer := range peers {
		if peer.Voter {
			count++
		}
	}
	return count
}

// adding is the body of a request that adds a member.
func adding(id, address string, voter bool) string {
	return encoded(map[string]any{"add": map[string]any{"id": id, "address": address, "voter": voter}})
}

// removing is the body of a request that removes a member.
func removing(id string) string { return encoded(map[string]any{"remove": id}) }

func encoded(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // it is text and numbers
	}
	return string(text)
}

// askMembers sends a node a change of the members, without the harness.
func (env *environment) askMembers(ctx context.Context, node int, body string) answered {
	GinkgoHelper()
	env.requires(target.Dial)
	env.assumes(target.HTTPAPI)
	return env.ask(ctx, node, env.authorized(asked{method: http.MethodPost, path: membersPath, body: body}))
}

// changeMembers is askMembers, and expects success.
func (env *environment) changeMembers(ctx context.Context, node int, body string) {
	GinkgoHelper()
	said := env.askMembers(ctx, node, body)
	Expect(said.status).To(Equal(http.StatusOK), "%s: %s", body, said.body)
}
