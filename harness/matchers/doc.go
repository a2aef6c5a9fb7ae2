// Package matchers contains Gomega matchers for clusters, nodes, answers and journals:
//
//	Expect(cluster.Node(1)).To(BeOnline())
//	Eventually(ctx, node).Should(BeSyncing())
//	Eventually(ctx, node).Should(HaveCaughtUp())
//	Eventually(ctx, cluster).Should(HaveLeader())
//	Expect(cluster).To(BeConsistent("SELECT * FROM shop.orders ORDER BY id"))
//	Expect(cluster.ExecuteOnRandom(ctx, "SELECT id, name FROM shop.orders")).To(HaveRows(Row(1, "a"), Row(2, "b")))
//	Expect(cluster.Journal()).To(And(BeLinearizable(), BeDurable(), HaveConverged()))
//
// The message of a failure says what was found. Each evaluation asks the cluster again, within
// Patience, so a matcher works with Eventually. An actual that cannot be asked is an error.
package matchers
