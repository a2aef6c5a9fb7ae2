package target

import (
	"context"
	"time"
)

// Target creates clusters. It must be safe for concurrent use.
type Target interface {
	// Boot creates a cluster of size nodes, at least 1, and blocks until all of them serve
	// requests. It need not wait for a leader. On an error nothing is left running.
	Boot(ctx context.Context, size int) (Cluster, error)
}

// Foreteller is a Target that knows before a boot what its clusters cannot do, so that no cluster is booted for a spec that needs it.
type Foreteller interface {
	// Foretell returns a cluster without nodes, to be asked by Can and Holds, and for nothing else. What is missing in it is missing
	// in every cluster that Boot returns; what it has may be missing in one, on a machine that cannot do it. It is nil if the target
	// does not know. It does not block.
	Foretell() Cluster
}

// Cluster is a running cluster. Its methods must be safe for concurrent use.
type Cluster interface {
	// Nodes are all nodes that the cluster ever had, always in the same order. A node is named
	// by its index here. It does not block.
	Nodes() []Node

	// Isolate cuts all links of a node, in both directions, to other nodes and to clients. The
	// node keeps running. It blocks until the cut is in force, for existing connections too.
	Isolate(ctx context.Context, node int) error

	// Rejoin restores the links that Isolate cut. It blocks until messages pass, and does not
	// wait until the node has caught up.
	Rejoin(ctx context.Context, node int) error

	// Close ends the cluster. It blocks until no process, goroutine, port or file of it is left.
	Close() error
}

// Node is one replica. Its methods must be safe for concurrent use.
type Node interface {
	// ID is the name of the node, which is unique in the cluster and never changes.
	ID() string

	// Client executes statements as an application does, over links that may be faulty.
	Client() SQL

	// Inside executes statements on the node itself, which no link fault affects. With
	// consistency Local the answer must be the node's own state.
	Inside() SQL

	// Status asks the node for its status, which no link fault affects. It blocks until the
	// node answers. A node that does not run is an error, or has the state Offline.
	Status(ctx context.Context) (Status, error)
}

// Digester is a Cluster that can hash the database of a node. With it, every spec ends with the
// proof that all nodes hold the same data.
type Digester interface {
	// Digest returns a hash of everything in the node's database, and the log index of that
	// state. Two nodes with the same index and data have the same hash. No link fault affects
	// it. It blocks for as long as it takes to read the database.
	Digest(ctx context.Context, node int) (index uint64, sum string, err error)
}

// Deduplicator is a Cluster whose nodes remember the IDs of applied requests, so that a repeated
// request is applied once. With it, every spec ends with the proof that every acknowledged
// request is on every node.
type Deduplicator interface {
	// Remembered returns the IDs of the latest requests that changed data, from the node's own
	// database. No link fault affects it.
	Remembered(ctx context.Context, node int) (ids map[string]bool, err error)
	// Memory is how many of the latest requests a node remembers at least. It does not block.
	Memory() int
}

// State is the health of a node in its own view.
type State string

// The states, in the order in which a node goes through them.
const (
	Connecting State = "connecting" // it knows no leader
	Syncing    State = "syncing"    // it knows the leader and is behind
	Online     State = "online"     // it has applied what was committed when it found the leader
	Leaving    State = "leaving"    // it is stopping
	Offline    State = "offline"    // it does not run or is paused; set by the target
	Failed     State = "failed"     // its storage has failed
)

// Vote is a node's vote for a leader.
type Vote struct {
	Term uint64 // 0 if it never voted
	For  string // the candidate, as the nodes of the database name it
}

// Peer is a member of a cluster, as a node knows it.
type Peer struct {
	ID      string
	Address string // host:port
	Voter   bool   // whether it counts for a quorum
}

// Status is what a node reports of itself. A number that the database does not know is 0.
type Status struct {
	ID      string
	Address string // host:port of its clients' endpoint
	State   State
	Role    string // leader, follower, candidate, …
	Leader  string // ID of the leader as the node knows it; empty if none
	Term    uint64
	// CommitIndex is the last log index the node knows to be committed,
	// AppliedIndex the last whose effects it serves.
	CommitIndex, AppliedIndex uint64
	// SnapshotIndex is the log index of its newest snapshot, Restores the
	// number of snapshots it has restored since it started.
	SnapshotIndex, Restores uint64
	// LedTerms are the terms it has led since it started. Two nodes with one term violate the
	// safety of elections.
	LedTerms []uint64
	// Vote is its latest vote. A node that forgets it, or votes for two candidates in one term,
	// violates the safety of elections.
	Vote Vote
	// LastContact is how long ago it heard from a leader; negative if it never did.
	LastContact time.Duration
	// Behind is the number of log entries that it knows of, from its log and its leader, and has
	// not applied.
	Behind uint64
	// Voter tells whether it counts for a quorum, as far as it knows.
	Voter bool
	// Peers are the members of the cluster that it knows, itself included; empty if the database
	// does not report them.
	Peers []Peer
	// Activities is the long work that the node does now.
	Activities Activities
	// LogEntries is how many entries its log holds.
	LogEntries uint64
	// Memory is the resident memory of the node's process in bytes; 0 if it has no process of its
	// own.
	Memory uint64
	Reason string // why, if it failed or is offline; also why it stays Connecting, if it knows
}
