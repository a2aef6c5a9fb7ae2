package specs

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// noAnswer is long enough for many elections at the pace of the targets: what is not
// acknowledged until then needs nodes that are away.
const noAnswer = 600 * time.Millisecond

// quorums are specs about who counts, and how many are enough, of a cluster that has one
// node at first.
func quorums(w *world) {
	Describe("A quorum", Label("suite:quorums", "fault:isolate"), func() {
		It("is a majority of the voters of the moment, at each size that the cluster grows to and shrinks to", func(ctx SpecContext) {
			w.requires(target.Members)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT)")
			const largest = 5
			written := 0
			// enough proves that as many nodes as a quorum take a write, and one less do not.
			// The nodes that came last are those that are left.
			enough := func(leaderToo bool) {
				GinkgoHelper()
				size := w.cluster.Size()
				quorum := size/2 + 1
				Expect(w.cluster.Quorum()).To(Equal(quorum))
				w.agreeOnMembers(ctx, size)
				if size == 1 {
					w.run(ctx, "INSERT INTO {ns}.t (v) VALUES ('one')")
					written++
					return
				}
				leader := w.leader(ctx)
				gone := w.others(leader)
				if leaderToo {
					gone = append([]int{leader}, gone...)
				}
				for _, node := range gone[:size-quorum] {
					w.leave(ctx, node)
				}
				w.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES ('a quorum')")
				written++
				leader = w.leader(ctx)
				next := -1
				for _, node := range w.cluster.OnlineNodes() {
					if node.Index() != leader {
						next = node.Index()
						break
					}
				}
				w.leave(ctx, next)
				w.noQuorum(ctx, leader, "INSERT INTO {ns}.t (v) VALUES ('tried')")
				w.comeBack(ctx, append(gone[:size-quorum:size-quorum], next)...)
			}

			enough(false)
			for w.cluster.Size() < largest {
				added, err := w.cluster.AddNode(ctx)
				Expect(err).NotTo(HaveOccurred())
				Expect(w.cluster.WaitForNodeOnline(ctx, added.Index())).To(Succeed())
				enough(w.cluster.Size() == 4)
			}
			for w.cluster.Size() > 1 {
				leader := w.leader(ctx)
				gone := leader
				if w.cluster.Size() == 4 {
					gone = w.others(leader)[0]
				}
				Expect(w.cluster.RemoveNode(ctx, gone)).To(Succeed())
				w.leader(ctx)
				enough(w.cluster.Size() == 3)
			}
			Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t WHERE v <> 'tried'")).To(HaveRows(Row(written)))
		}, patience)
	})
}

// nonVoters are specs about members that only listen.
func nonVoters(w *world) {
	Describe("Members that only listen", Label("suite:quorums", "fault:isolate"), func() {
		It("count for no commit, no read, no election and no lease, until they are made voters", func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Members, target.Links)
			if w.cluster.Size() != 3 {
				Skip("this is about three voters")
			}
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			var listeners []*harness.Node
			for range 2 {
				added, err := w.cluster.AddNode(ctx, harness.NonVoter)
				Expect(err).NotTo(HaveOccurred())
				Expect(added.Votes()).To(BeFalse())
				listeners = append(listeners, added)
			}
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			Expect(w.cluster.Quorum()).To(Equal(2))
			w.agreeOnMembers(ctx, 3)
			voters := []int{0, 1, 2}
			// onlyListened proves that none of them ever stood for election.
			onlyListened := func() {
				GinkgoHelper()
				for _, l := range listeners {
					status := statusOf(ctx, l)
					Expect(status).To(And(HaveField("Role", "follower"), HaveField("Voter", false), HaveField("LedTerms", BeEmpty())), "%s", l)
					Expect(status.Vote.For).NotTo(Equal(status.Address), "%s has voted for itself", l)
				}
			}

			By("leaving the leader with those that only listen")
			leader := w.leader(ctx)
			term := statusOf(ctx, w.node(leader)).Term
			for _, voter := range voters {
				if voter != leader {
					w.leave(ctx, voter)
				}
			}
			reading, cancel := context.WithTimeout(ctx, noAnswer)
			_, err := w.node(leader).Inside().Reading(target.Strong).Execute(reading, "SELECT 1")
			cancel()
			Expect(err).To(HaveOccurred(), "a strong read was confirmed by members that do not vote")
			w.noQuorum(ctx, leader, "INSERT INTO {ns}.t VALUES (-1)")
			Expect(statusOf(ctx, w.node(leader)).Role).NotTo(Equal("leader"), "its lease is renewed by members that do not vote")
			onlyListened()
			for _, l := range listeners {
				Expect(l.Reading(target.Local).Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
			}
			for _, voter := range voters {
				if voter != leader {
					w.comeBack(ctx, voter)
				}
			}

			By("leaving them with one voter that does not lead")
			leader = w.leader(ctx)
			Expect(statusOf(ctx, w.node(leader)).Term).To(BeNumerically(">", term))
			left := -1
			for _, voter := range voters {
				if voter != leader {
					left = voter
				}
			}
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			for _, voter := range voters {
				if voter != left {
					w.leave(ctx, voter)
				}
			}
			w.noQuorum(ctx, left, "INSERT INTO {ns}.t VALUES (-2)")
			Expect(statusOf(ctx, w.node(left)).LedTerms).NotTo(ContainElement(BeNumerically(">", statusOf(ctx, w.node(leader)).Term)))
			onlyListened()
			for _, voter := range voters {
				if voter != left {
					w.comeBack(ctx, voter)
				}
			}

			By("cutting one off, which must not come back with a higher term")
			w.leader(ctx)
			term = statusOf(ctx, listeners[0]).Term
			w.leave(ctx, listeners[0].Index())
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (2)")
			Eventually(ctx, func(ctx context.Context) string { return statusOf(ctx, listeners[0]).Leader }).Should(BeEmpty())
			Consistently(ctx, func(ctx context.Context) uint64 { return statusOf(ctx, listeners[0]).Term }).Should(Equal(term))
			w.comeBack(ctx, listeners[0].Index())
			onlyListened()

			By("making one a voter, without which three of four are no quorum any more")
			leader = w.leader(ctx)
			promoted := listeners[1]
			w.changeMembers(ctx, leader, adding(promoted.ID(), statusOf(ctx, promoted).Address, true))
			w.agreeOnMembers(ctx, 4)
			for _, voter := range voters[:3] {
				if voter != leader {
					w.leave(ctx, voter)
					break
				}
			}
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (3)")
			w.leave(ctx, promoted.Index())
			w.noQuorum(ctx, w.leader(ctx), "INSERT INTO {ns}.t VALUES (-3)")
			Expect(w.cluster.Heal(ctx)).To(Succeed())

			By("taking its vote")
			w.changeMembers(ctx, w.leader(ctx), adding(promoted.ID(), statusOf(ctx, promoted).Address, false))
			w.agreeOnMembers(ctx, 3)
			for _, l := range listeners {
				w.leave(ctx, l.Index())
			}
			w.leave(ctx, w.others(w.leader(ctx))[0])
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (4)")
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t WHERE id > 0")).To(HaveRows(Row(4)))
		}, patience)

		It("are what they were after all nodes were started again, and are handed nothing by a leader that leaves", Label("fault:crash"), func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Members, target.Crash, target.Stop)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			listener, err := w.cluster.AddNode(ctx, harness.NonVoter)
			Expect(err).NotTo(HaveOccurred())
			again := func(voters int) {
				GinkgoHelper()
				Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
				w.agreeOnMembers(ctx, voters)
				for _, node := range w.cluster.Nodes() {
					w.leave(ctx, node.Index(), harness.Crash)
				}
				for _, node := range w.cluster.Nodes() {
					Expect(w.cluster.BringNodeOnline(ctx, node.Index())).To(Succeed())
				}
				Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
				w.agreeOnMembers(ctx, voters)
				Expect(w.cluster.Quorum()).To(Equal(voters/2 + 1))
			}
			again(w.cluster.Size() - 1)
			gone := w.others(w.leader(ctx))
			gone = slices.DeleteFunc(gone, func(node int) bool { return node == listener.Index() })
			Expect(w.cluster.RemoveNode(ctx, gone[0])).To(Succeed())
			voters := w.cluster.Size() - 1
			again(voters)

			By("leaving")
			old := w.leader(ctx)
			w.leave(ctx, old, harness.Stop)
			if w.cluster.Quorum() <= voters-1 {
				Expect(w.leader(ctx)).NotTo(Equal(listener.Index()))
				w.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			}
			Expect(statusOf(ctx, listener)).To(And(HaveField("Role", "follower"), HaveField("LedTerms", BeEmpty())))
			w.comeBack(ctx, old)
			w.run(ctx, "INSERT INTO {ns}.t VALUES (2)")
		}, patience)
	})
}

// noQuorum proves that a write is not acknowledged at a node that runs, long after others
// would have been elected.
func (w *world) noQuorum(ctx context.Context, node int, sql string) {
	GinkgoHelper()
	trying, cancel := context.WithTimeout(ctx, noAnswer)
	defer cancel()
	_, err := w.node(node).Inside().Execute(trying, w.sql(sql))
	Expect(err).To(HaveOccurred(), "fewer than a quorum have taken a write")
	Expect(target.OutcomeOf(err)).NotTo(Equal(target.Applied))
}

// agreeOnMembers waits until all members know one another as the cluster does, with so many
// voters; but for their votes, which a spec may have changed behind the harness.
func (w *world) agreeOnMembers(ctx context.Context, voters int) {
	GinkgoHelper()
	var want []any
	for _, node := range w.cluster.Nodes() {
		want = append(want, And(HaveField("ID", node.ID()), HaveField("Address", statusOf(ctx, node).Address)))
	}
	for _, node := range w.cluster.Nodes() {
		if len(statusOf(ctx, node).Peers) == 0 {
			continue // it cannot tell
		}
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			peers := statusOf(ctx, node).Peers
			g.Expect(peers).To(ConsistOf(want...), "%s knows others", node)
			g.Expect(votersAmong(peers)).To(Equal(voters), "%s counts others", node)
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

// adding is the body of a request to make a node a member.
func adding(id, address string, voter bool) string {
	return encoded(map[string]any{"add": map[string]any{"id": id, "address": address, "voter": voter}})
}

// removing is the body of a request to make it none.
func removing(id string) string { return encoded(map[string]any{"remove": id}) }

func encoded(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // it is text and numbers
	}
	return string(text)
}

// askMembers asks a node for a change of the members, behind the harness.
func (w *world) askMembers(ctx context.Context, node int, body string) answered {
	GinkgoHelper()
	w.requires(target.Ports)
	return w.ask(ctx, node, w.authorized(asked{method: http.MethodPost, path: membersPath, body: body}))
}

// changeMembers is the same, and expects that it is done.
func (w *world) changeMembers(ctx context.Context, node int, body string) {
	GinkgoHelper()
	said := w.askMembers(ctx, node, body)
	Expect(said.status).To(Equal(http.StatusOK), "%s: %s", body, said.body)
}
