package specs

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// restoredMembers is about who counts when only a snapshot tells: the log in which members
// came and went is gone, and every node has been started again.
func restoredMembers(w *world) {
	Describe("Members that changed before a snapshot", Label("suite:restored-members", "fault:isolate", "fault:crash", "speed:slow"), func() {
		It("are those who count after all have crashed, also by a node that was away", func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Members, target.Crash)
			if w.cluster.Size() > 3 {
				Skip("this counts the votes of a cluster that begins with three nodes")
			}
			w.run(ctx, "CREATE TABLE {ns}.churn (n INTEGER PRIMARY KEY)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			first := w.leader(ctx)
			absent, second := w.others(first)[0], w.others(first)[1]

			By("replacing all but one, which is away, and adding one that only listens")
			before := statusOf(ctx, w.node(absent))
			w.leave(ctx, absent)
			add := func(suffrage harness.Suffrage) int {
				GinkgoHelper()
				added, err := w.cluster.AddNode(ctx, suffrage)
				Expect(err).NotTo(HaveOccurred())
				Expect(w.cluster.WaitForNodeOnline(ctx, added.Index())).To(Succeed())
				return added.Index()
			}
			third, fourth := add(harness.Voter), add(harness.Voter)
			listener := add(harness.NonVoter)
			Expect(w.cluster.RemoveNode(ctx, second)).To(Succeed())
			Expect(w.cluster.RemoveNode(ctx, first)).To(Succeed())
			voters := []int{absent, third, fourth}
			w.patiently(ctx, "INSERT INTO {ns}.churn DEFAULT VALUES")
			w.writeUntilGone(ctx, statusOf(ctx, w.node(w.leader(ctx))).CommitIndex)
			w.comeBack(ctx, absent)
			Expect(statusOf(ctx, w.node(absent)).Restores).To(BeNumerically(">", before.Restores), "it came back without a snapshot")

			By("crashing all of them")
			all := append(voters, listener)
			for _, node := range all {
				w.leave(ctx, node, harness.Crash)
			}
			w.comeBack(ctx, all...)
			for _, node := range all {
				Eventually(ctx, func(ctx context.Context) bool { return statusOf(ctx, w.node(node)).Voter }).
					Should(Equal(node != listener), "%s votes, or does not", w.node(node))
			}

			By("having any two of the voters be enough, and the one that listens not be needed")
			w.leave(ctx, listener)
			for _, away := range voters {
				w.leave(ctx, away)
				w.patiently(ctx, "INSERT INTO {ns}.churn DEFAULT VALUES")
				w.comeBack(ctx, away)
			}
			w.comeBack(ctx, listener)

			By("having no one voter be enough, with the one that listens")
			for _, away := range voters[:2] {
				w.leave(ctx, away)
			}
			Eventually(ctx, func(ctx context.Context) string {
				_, err := w.node(voters[2]).Execute(ctx, w.sql("INSERT INTO {ns}.churn DEFAULT VALUES"))
				return codeOf(err)
			}).Should(BeElementOf("NO_LEADER", "NO_QUORUM"))
			Expect(statusOf(ctx, w.node(listener)).Role).NotTo(BeElementOf("candidate", "leader"))
			w.comeBack(ctx, voters[:2]...)
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.churn")))
			w.leavesNothing(ctx)
		}, patience)
	})
}
