package specs

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// moved are specs about nodes that have another address than they had.
func moved(w *world) {
	Describe("A node that has moved", Label("suite:moved", "fault:crash"), func() {
		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Moves, target.Ports, target.Members, target.Crash, target.Stop)
			if w.cluster.Size() != 3 {
				Skip("this is about three nodes")
			}
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// move takes a node to another address, and starts it there.
		move := func(ctx context.Context, node int, to string) (at string) {
			GinkgoHelper()
			w.leave(ctx, node, harness.Crash)
			at, err := w.cluster.MoveNode(ctx, node, to)
			Expect(err).NotTo(HaveOccurred())
			Expect(w.cluster.BringNodeOnline(ctx, node)).To(Succeed())
			Expect(statusOf(ctx, w.node(node)).Address).To(Equal(at))
			return at
		}
		// reached proves that everybody reaches the node where it is, as a follower and as
		// the leader, and that with it there is a quorum.
		reached := func(ctx context.Context, node, id int) {
			GinkgoHelper()
			w.agreeOnMembers(ctx, 3)
			third := w.others(node)[0]
			if third == w.leader(ctx) {
				third = w.others(node)[1]
			}
			w.leave(ctx, third)
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (?)", id)
			Expect(w.cluster.Reading(target.Strong).ExecuteOnAll(ctx, w.sql("SELECT count(*) FROM {ns}.t WHERE id = ?"), id)).To(HaveRows(Row(1)))
			w.comeBack(ctx, third)

			By("having it lead")
			for old := w.leader(ctx); old != node; old = w.leader(ctx) {
				w.leave(ctx, old)
				Eventually(ctx, w.cluster.Leader).ShouldNot(Equal(old))
				w.comeBack(ctx, old)
			}
			for i, other := range w.others(node) {
				w.runOn(ctx, w.node(other), "INSERT INTO {ns}.t VALUES (?)", id+1+i)
				Expect(w.runOn(ctx, w.node(other).Reading(target.Strong), "SELECT count(*) FROM {ns}.t WHERE id = ?", id+1+i)).To(HaveRows(Row(1)))
			}
		}

		It("is reached at its new address by all, and never again at the old one, where another may be", func(ctx SpecContext) {
			leader := w.leader(ctx)
			first := w.others(leader)[0]
			left := statusOf(ctx, w.node(first)).Address
			move(ctx, first, "")
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)") // for which the leader looks for the node at its old address
			Consistently(ctx, w.node(first)).ShouldNot(HaveCaughtUp(), "it was found without a word")
			w.changeMembers(ctx, w.leader(ctx), adding(w.node(first).ID(), statusOf(ctx, w.node(first)).Address, true))
			Expect(w.cluster.WaitForNodeOnline(ctx, first)).To(Succeed())
			reached(ctx, first, 10)

			By("moving another to the address that the first one has left")
			second := w.others(first)[0]
			Expect(move(ctx, second, left)).To(Equal(left))
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (2)")
			w.changeMembers(ctx, w.leader(ctx), adding(w.node(second).ID(), left, true))
			Expect(w.cluster.WaitForNodeOnline(ctx, second)).To(Succeed())
			reached(ctx, second, 20)

			By("starting all of them again, where they are now")
			for _, node := range w.cluster.Nodes() {
				w.leave(ctx, node.Index(), harness.Crash)
			}
			for _, node := range w.cluster.Nodes() {
				Expect(w.cluster.BringNodeOnline(ctx, node.Index())).To(Succeed())
			}
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			w.agreeOnMembers(ctx, 3)
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t ORDER BY id")))
			Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(8)))
		}, patience)

		It("is not taken for another, nor moved to where it is not", func(ctx SpecContext) {
			leader := w.leader(ctx)
			first := w.others(leader)[0]
			left := statusOf(ctx, w.node(first)).Address
			at := move(ctx, first, "")
			said := w.askMembers(ctx, leader, adding("another", at, true))
			Expect(said.code).To(Equal("MEMBERS_REFUSED"), said.body)
			Expect(said.body).To(ContainSubstring("is node " + w.node(first).ID() + ", and not another"))
			said = w.askMembers(ctx, leader, adding(w.node(w.others(leader)[1]).ID(), at, true))
			Expect(said.code).To(Equal("MEMBERS_REFUSED"), said.body)
			w.changeMembers(ctx, leader, adding(w.node(first).ID(), at, true))
			said = w.askMembers(ctx, leader, adding(w.node(first).ID(), left, true))
			Expect(said.code).To(Equal("MEMBERS_NOT_NOW"), said.body)
			Expect(w.cluster.WaitForNodeOnline(ctx, first)).To(Succeed())
			w.agreeOnMembers(ctx, 3)
		}, patience)
	})
}
