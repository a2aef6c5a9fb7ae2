// Package lasting lets a cluster serve several specs, for databases whose clusters take long to boot.
//
//	over := lasting.New(patroni.New(patroni.Options{}), lasting.Options{Reset: patroni.Reset})
//	defer over.Close()
//
// A spec that passed has healed its cluster and has verified what every cluster promises. It then releases the cluster
// (target.Reusable) in place of closing it, and the next Boot of that size returns it. A cluster is closed, and never handed out
// again, if its spec failed, if its members or versions changed, if a node is not online, or if it cannot be emptied.
//
// The price: the next spec begins on nodes that have a history, with a longer log, other terms and another leader than a new
// cluster. A spec that needs a new cluster does not hold on such a target.
package lasting
