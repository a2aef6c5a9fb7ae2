package specs

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// moved are specs about nodes with a new address.
func moved(env *environment) {
	Describe("A node with a new address", Label("suite:moved", "fault:crash"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Addresses, target.Dial, target.Members, target.Crash, target.Stop)
			env.assumes(target.HTTPAPI)
			if env.cluster.Size() != 3 {
				Skip("the spec needs a cluster of exactly 3 nodes")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// move starts a node at another address.
		move := func(ctx context.Context, node int, to string) (at string) {
			GinkgoHelper()
			env.leave(ctx, node, fault.Crash)
			at, err := env.cluster.MoveNode(ctx, node, to)
			Expect(err).NotTo(HaveOccurred())
			Expect(env.cluster.BringNodeOnline(ctx, node)).To(Succeed())
			Expect(statusOf(ctx, env.node(node)).Address).To(Equal(at))
			return at
		}
		// lead isolates leaders until the node leads.
		lead := func(ctx context.Context, node int) {
			GinkgoHelper()
			for old := env.leader(ctx); old != node; old = env.leader(ctx) {
				env.leave(ctx, old)
				env.eventually(ctx, env.cluster.Leader).ShouldNot(Equal(old))
				env.comeBack(ctx, old)
			}
		}
		// reached proves that all nodes reach the node, as a follower and as the leader, and that
		// it counts for the quorum.
		reached := func(ctx context.Context, node, id int) {
			GinkgoHelper()
			env.agreeOnMembers(ctx, 3)
			third := env.others(node)[0]
			if third == env.leader(ctx) {
				third = env.others(node)[1]
			}
			env.leave(ctx, third)
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?)", id)
			Expect(env.cluster.Reading(target.Strong).ExecuteOnAll(ctx, env.sql("SELECT count(*) FROM {ns}.t WHERE id = ?"), id)).To(
				HaveRows(Row(1)))
			env.comeBack(ctx, third)

			By("making it the leader")
			lead(ctx, node)
			for i, other := range env.others(node) {
				env.runOn(ctx, env.node(other), "INSERT INTO {ns}.t VALUES (?)", id+1+i)
				Expect(env.runOn(ctx, env.node(other).Reading(target.Strong), "SELECT count(*) FROM {ns}.t WHERE id = ?", id+1+i)).To(HaveRows(Row(1)))
			}
		}

		It("is reached there by all nodes, even when another node takes its old address", func(ctx SpecContext) {
			leader := env.leader(ctx)
			first := env.others(leader)[0]
			left := statusOf(ctx, env.node(first)).Address
			move(ctx, first, "")
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)") // the leader sends it to the old address
			env.consistently(ctx, env.node(first)).ShouldNot(HaveCaughtUp(), "it was found without a change of the members")
			env.changeMembers(ctx, env.leader(ctx), adding(env.node(first).ID(), statusOf(ctx, env.node(first)).Address, true))
			Expect(env.cluster.WaitForNodeOnline(ctx, first)).To(Succeed())
			reached(ctx, first, 10)

			By("moving another node to the old address of the first")
			second := env.others(leader)[1]
			Expect(move(ctx, second, left)).To(Equal(left))
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (2)")
			env.changeMembers(ctx, env.leader(ctx), adding(env.node(second).ID(), left, true))
			Expect(env.cluster.WaitForNodeOnline(ctx, second)).To(Succeed())
			reached(ctx, second, 20)

			By("making the old leader lead")
			lead(ctx, leader)
			env.leave(ctx, first)
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (3)")
			env.comeBack(ctx, first)

			By("restarting all nodes")
			for _, node := range env.cluster.Nodes() {
				env.leave(ctx, node.Index(), fault.Crash)
			}
			for _, node := range env.cluster.Nodes() {
				Expect(env.cluster.BringNodeOnline(ctx, node.Index())).To(Succeed())
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			env.agreeOnMembers(ctx, 3)
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t ORDER BY id")))
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(9)))
		}, env.patience)

		It("is not taken for another node, nor recorded at an address where it is not", func(ctx SpecContext) {
			leader := env.leader(ctx)
			first := env.others(leader)[0]
			left := statusOf(ctx, env.node(first)).Address
			at := move(ctx, first, "")
			said := env.askMembers(ctx, leader, adding("another", at, true))
			Expect(said.code).To(Equal("MEMBERS_REFUSED"), said.body)
			Expect(said.body).To(ContainSubstring("is node " + env.node(first).ID() + ", not node another"))
			said = env.askMembers(ctx, leader, adding(env.node(env.others(leader)[1]).ID(), at, true))
			Expect(said.code).To(Equal("MEMBERS_REFUSED"), said.body)
			env.changeMembers(ctx, leader, adding(env.node(first).ID(), at, true))
			said = env.askMembers(ctx, leader, adding(env.node(first).ID(), left, true))
			Expect(said.code).To(Equal("MEMBERS_NOT_NOW"), said.body)
			Expect(env.cluster.WaitForNodeOnline(ctx, first)).To(Succeed())
			env.agreeOnMembers(ctx, 3)

			By("starting a node at the address of another that is down")
			leader = env.leader(ctx)
			first, second := env.others(leader)[0], env.others(leader)[1]
			home := statusOf(ctx, env.node(second)).Address
			vacant := statusOf(ctx, env.node(first)).Address
			env.leave(ctx, first, fault.Crash)
			env.leave(ctx, second, fault.Crash)
			elsewhere, err := env.cluster.MoveNode(ctx, first, "")
			Expect(err).NotTo(HaveOccurred())
			Expect(env.cluster.MoveNode(ctx, second, vacant)).To(Equal(vacant))
			Expect(env.cluster.BringNodeOnline(ctx, second)).To(Succeed())
			env.noQuorum(ctx, leader, "INSERT INTO {ns}.t VALUES (1)")
			Expect(statusOf(ctx, env.node(leader)).Role).NotTo(Equal("leader"), "a node counts as the one that had its address")
			env.leave(ctx, second, fault.Crash)
			Expect(env.cluster.MoveNode(ctx, second, home)).To(Equal(home))
			Expect(env.cluster.BringNodeOnline(ctx, second)).To(Succeed())
			Expect(env.cluster.BringNodeOnline(ctx, first)).To(Succeed())
			Expect(env.cluster.WaitForNodeOnline(ctx, second)).To(Succeed())
			env.changeMembers(ctx, env.leader(ctx), adding(env.node(first).ID(), elsewhere, true))
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		}, env.patience)
	})
}
