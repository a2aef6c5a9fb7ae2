// Package specs contains specs for clusters of replicated SQL nodes that lose nodes and get them
// back. It is a Ginkgo suite to be imported:
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
// Register declares the specs; importing the package declares nothing. Each spec has its own
// cluster and namespace, so specs run in any order and in parallel. A failing spec shows the
// cluster and its last events. The cluster of a spec that passed is healed, and must satisfy the
// invariants of harness.Cluster.VerifyInvariants.
//
// # What a database needs
//
// Statements are SQL as SQLite understands it, with CREATE NAMESPACE name, and with names
// qualified by a namespace. Every node accepts every statement, or refuses it with a temporary
// error. Beyond that specs depend on three things, and skip themselves with a sentence without
// them:
//
//   - abilities, the optional interfaces of a target: target.Can
//   - assumptions, sentences about the database that a target declares: target.Holds
//   - Limits, for specs about the limits of a request
//
// Specs test for kinds of errors, such as target.ErrNoQuorum, and never for the code or the
// message of a database. Only specs that rely on target.SQLite or target.HTTPAPI read messages.
// All times come from Pace, so that a database that needs ten seconds for a failover fails no
// spec.
//
// # Files and labels
//
// Each file is about one behaviour. Labels: suite:… is the behaviour, fault:… are the faults, and
// speed:slow is a spec that takes more than a second.
package specs
