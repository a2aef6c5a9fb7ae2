package specs

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// restoredMembers is about who counts when only a snapshot tells: the log in which members
// came and went is gone, and every node has been started again.
func restoredMembers(env *environment) {
	Describe("Members that changed before a snapshot", Label("suite:restored-members", "fault:isolate", "fault:crash", "speed:slow"), func() {
		It("are those who count after all have crashed, also by a node that was away", func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Members, target.Crash)
			if env.cluster.Size() > 3 {
				Skip("this counts the votes of a cluster that begins with three nodes")
			}
			env.run(ctx, "CREATE TABLE {ns}.churn (n INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			first := env.leader(ctx)
			absent, second := env.others(first)[0], env.others(first)[1]

			By("replacing all but one, which is away, and adding one that only listens")
			before := statusOf(ctx, env.node(absent))
			env.leave(ctx, absent)
			add := func(suffrage harness.Suffrage) int {
				GinkgoHelper()
				added, err := env.cluster.AddNode(ctx, suffrage)
				Expect(err).NotTo(HaveOccurred())
				Expect(env.cluster.WaitForNodeOnline(ctx, added.Index())).To(Succeed())
				return added.Index()
			}
			third, fourth := add(harness.Voter), add(harness.Voter)
			listener := add(harness.NonVoter)
			Expect(env.cluster.RemoveNode(ctx, second)).To(Succeed())
			Expect(env.cluster.RemoveNode(ctx, first)).To(Succeed())
			voters := []int{absent, third, fourth}
			env.patiently(ctx, "INSERT INTO {ns}.churn DEFAULT VALUES")
			env.writeUntilGone(ctx, statusOf(ctx, env.node(env.leader(ctx))).CommitIndex)
			env.comeBack(ctx, absent)
			Expect(statusOf(ctx, env.node(absent)).Restores).To(BeNumerically(">", before.Restores), "it came back without a snapshot")

			By("crashing all of them")
			all := append(voters, listener)
			for _, node := range all {
				env.leave(ctx, node, fault.Crash)
			}
			env.comeBack(ctx, all...)
			for _, node := range all {
				env.eventually(ctx, func(ctx context.Context) bool { return statusOf(ctx, env.node(node)).Voter }).
					Should(Equal(node != listener), "%s votes, or does not", env.node(node))
			}

			By("having any two of the voters be enough, and the one that listens not be needed")
			env.leave(ctx, listener)
			for _, away := range voters {
				env.leave(ctx, away)
				env.patiently(ctx, "INSERT INTO {ns}.churn DEFAULT VALUES")
				env.comeBack(ctx, away)
			}
			env.comeBack(ctx, listener)

			By("having no one voter be enough, with the one that listens")
			for _, away := range voters[:2] {
				env.leave(ctx, away)
			}
			env.eventually(ctx, func(ctx context.Context) error {
				_, err := env.node(voters[2]).Execute(ctx, env.sql("INSERT INTO {ns}.churn DEFAULT VALUES"))
				return err
			}).Should(beWithoutQuorum())
			Expect(statusOf(ctx, env.node(listener)).Role).NotTo(BeElementOf("candidate", "leader"))
			env.comeBack(ctx, voters[:2]...)
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.churn")))
			env.leavesNothing(ctx)
		}, env.patience)
	})
}
