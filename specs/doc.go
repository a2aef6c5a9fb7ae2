// Package specs says what a cluster of replicated SQL nodes must do when nodes go
// away and come back. It is a Ginkgo suite to be imported:
//
//	func TestRecovery(t *testing.T) { specs.Main(t, mydb.New()) }
//
// A spec of one's own has the same by Run and Cluster:
//
//	func TestShop(t *testing.T) { specs.Run(t, "Shop") }
//
//	It("keeps orders", func(ctx SpecContext) {
//		cluster := specs.Cluster(ctx, local.New(local.Options{}))
//		…
//	})
//
// Register declares everything; nothing is declared by importing. Each spec has
// a cluster and a namespace of its own, so specs run in any order and in
// parallel. A spec that fails shows the cluster as it was, and what happened
// last. When a spec has passed its cluster is healed and must keep what every
// cluster promises: see harness.Cluster.VerifyInvariants.
//
// One file is one behaviour. Labels: suite:… names the file's, fault:… what is
// done to nodes, speed:slow what takes more than a second.
package specs
