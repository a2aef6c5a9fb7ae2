// Package harness drives a cluster of replicated SQL nodes through the moment that matters: a
// node goes away, the data changes, the node comes back.
//
//	cluster, err := harness.Boot(ctx, target, harness.Size(3))
//	err = cluster.TakeNodeOffline(ctx, 1, fault.Crash)           // a node goes away
//	result, err := cluster.ExecuteWithRetry(ctx, "INSERT …")     // the data changes
//	err = cluster.BringNodeOnline(ctx, 1)                        // the node comes back,
//	err = cluster.WaitForNodeOnline(ctx, 1)                      // catches up,
//	err = cluster.VerifyDataConsistency(ctx, "SELECT * FROM t")  // and has every row
//
// # Flag, fault and health
//
// A Cluster has one flag for each node, online or offline. Three truths about a node are never
// mixed:
//
//	flag    what the harness wants          IsNodeOnline
//	fault   what was done to make it true   TakeNodeOffline, BringNodeOnline, Lost
//	health  what the node itself reports    Node.Status, WaitForNodeOnline
//
// A node fails in one of four modes: fault.Isolate, Stop, Crash or Pause. Links, disks and
// clocks have faults without a flag (SetLink, Partition, Flapping, SetDisk, Damage, SetClock).
// Faults lists those in force, and Heal undoes all. What a target lacks is an *UnsupportedError.
//
// AddNode, RemoveNode and ReplaceNode change the members. A node keeps its index, also after it
// was removed.
//
// # Requests and observations
//
// A request goes to nodes whose flag is up: to one at random (ExecuteOnRandom), to one after the
// other until one answers (ExecuteWithRetry), or to all (ExecuteOnAll). A Node is asked directly,
// over the links of its clients, or past every fault through Inside. Reading sets the consistency
// of reads.
//
// Observe asks all nodes for their status, past every fault. What they show goes into the journal
// and is checked by VerifyInvariants: leaders and their terms, votes, acknowledged changes and
// digests of the data. Peek asks without leaving a trace, for reports.
//
// VerifyDataConsistency compares what the nodes answer to a query. It first waits until they have
// applied what is committed, and a request that reads a node's own state waits until the node
// knows the latest schema. AsIs returns a view that does not wait.
//
// # Errors
//
// An error of one node is a *NodeError; target.OutcomeOf tells whether a request was applied. A
// *WaitError says what a node showed while it was awaited, how far it was behind, and whether a
// quorum is missing. An *InconsistencyError has the nodes, the row and the column that differ; an
// *UnsettledError proves no difference.
//
// # What it is not
//
// The package knows no database (package target says what one must offer), no test framework
// (package matchers has the Gomega matchers) and no workload. How answers are compared is in
// package consistency, and how promises are watched in package promises. Planted bugs decorate
// both, and the choice of nodes: see Comparer, Promises and Router.
//
// A Cluster is safe for concurrent use. Its locks guard flags and are not held during I/O.
package harness
