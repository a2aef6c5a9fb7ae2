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

// restoredMembers is a spec about members that only a snapshot records: the log of their changes
// is compacted, and every node has been restarted.
func restoredMembers(env *environment) {
	Describe("Members that changed before a snapshot", Label("suite:restored-members", "fault:isolate", "fault:crash", "speed:slow"), func() {
		It("count after a crash of all nodes, even for a node that was away", func(ctx SpecContext) {
			env.needs(3)
			env.assumes(target.Compacts, target.Learners)
			env.requires(target.Members, target.Crash)
			if env.cluster.Size() > 3 {
				Skip("the spec needs a cluster of exactly 3 nodes")
			}
			env.run(ctx, "CREATE TABLE {ns}.churn (n INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			first := env.leader(ctx)
			absent, second := env.others(first)[0], env.others(first)[1]

			By("replacing all members but one, which is isolated, and adding a non-voter")
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
			Expect(statusOf(ctx, env.node(absent)).Restores).To(BeNumerically(">", before.Restores), "it recovered without a snapshot")

			By("crashing all members")
			all := append(voters, listener)
			for _, node := range all {
				env.leave(ctx, node, fault.Crash)
			}
			env.comeBack(ctx, all...)
			for _, node := range all {
				env.eventually(ctx, func(ctx context.Context) bool { return statusOf(ctx, env.node(node)).Voter }).
					Should(Equal(node != listener), "the vote of %s", env.node(node))
			}

			By("committing with any two voters, without the non-voter")
			env.leave(ctx, listener)
			for _, away := range voters {
				env.leave(ctx, away)
				env.patiently(ctx, "INSERT INTO {ns}.churn DEFAULT VALUES")
				env.comeBack(ctx, away)
			}
			env.comeBack(ctx, listener)

			By("not committing with one voter and the non-voter")
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
