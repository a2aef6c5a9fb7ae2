// Package matchers are Gomega matchers that read like the sentence they check:
//
//	Expect(cluster.Node(1)).To(BeOnline())
//	Eventually(ctx, node).Should(BeSyncing())
//	Eventually(ctx, node).Should(HaveCaughtUp())
//	Eventually(ctx, cluster).Should(HaveLeader())
//	Expect(cluster).To(BeConsistent("SELECT * FROM shop.orders ORDER BY id"))
//	Expect(cluster.ExecuteOnRandom(ctx, "SELECT id, name FROM shop.orders")).To(HaveRows(Row(1, "a"), Row(2, "b")))
//	Expect(cluster.Journal()).To(And(BeLinearizable(), BeDurable(), HaveConverged()))
//
// When one fails it says what it found, not that something was false. Each asks
// the cluster anew whenever it is evaluated, within Patience, so each can be
// given to Eventually.
package matchers
