package target

import "time"

// RoleChange is a node's role as it reports it when its role, term or leader changes.
type RoleChange struct {
	Node   int       // index
	At     time.Time // when it changed
	Role   string    // leader, follower, candidate, …
	Term   uint64
	Leader string // ID of the leader as the node knows it; empty if none
}

// RoleReporter is a Cluster whose nodes report changes of their roles as they happen. Status shows
// only the changes that last until it is asked for.
type RoleReporter interface {
	// ReportRoles calls a function with the changes of all nodes until the cluster is closed, first
	// with those so far. Changes of one node come in order. The function is called by the nodes'
	// goroutines, several at a time: it must be safe for concurrent use, and must neither block
	// nor use the cluster. Only the last function is called.
	ReportRoles(func(RoleChange))
}

// Named is a Cluster that has the name of its target, such as "local".
type Named interface {
	Name() string
}
