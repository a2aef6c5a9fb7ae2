package target

import (
	"context"
	"time"
)

// Target makes clusters. It must be safe for concurrent use: specs that run in
// parallel boot clusters side by side.
type Target interface {
	// Boot starts a cluster of size nodes and returns when all of them run. It
	// need not wait for a leader.
	Boot(ctx context.Context, size int) (Cluster, error)
}

// Cluster is a running cluster. Its methods must be safe for concurrent use.
type Cluster interface {
	// Nodes are the cluster's nodes, always in the same order.
	Nodes() []Node

	// Isolate cuts the node's links, both ways, to the other nodes and to its
	// clients. The node goes on running, alone. Isolate returns when the cut is
	// in effect.
	Isolate(ctx context.Context, node int) error

	// Rejoin mends what Isolate cut. It returns when the links are up, not when
	// the node has caught up.
	Rejoin(ctx context.Context, node int) error

	// Close ends the cluster and leaves nothing of it: no process, goroutine,
	// port or file.
	Close() error
}

// Node is one replica. Its methods must be safe for concurrent use.
type Node interface {
	// ID names the node.
	ID() string

	// Client runs statements as an application does.
	Client() SQL

	// Inside runs statements beside the node, past every fault.
	Inside() SQL

	// Status asks the node what it shows of itself, past every fault.
	Status(ctx context.Context) (Status, error)
}

// Digester is a Cluster that can hash all a node holds. With it, specs end with
// the proof that all nodes hold the same.
type Digester interface {
	// Digest returns a hash of everything the node's database holds, and the
	// log index it was taken at. It looks past every fault.
	Digest(ctx context.Context, node int) (index uint64, sum string, err error)
}

// Deduplicator is a Cluster whose nodes remember the requests they applied. With
// it, specs end with the proof that every acknowledged request is on every node.
type Deduplicator interface {
	// Remembered returns the IDs of the requests that changed data and that the
	// node's own database holds, the latest remembered ones. It looks past every
	// fault.
	Remembered(ctx context.Context, node int) (ids map[string]bool, err error)
	// Memory is how many of the latest requests a node remembers at least.
	Memory() int
}

// State is a node's health as it shows itself.
type State string

// The states, in the order in which a node goes through them.
const (
	Connecting State = "connecting" // it knows of no leader
	Syncing    State = "syncing"    // it knows the leader, and is behind
	Online     State = "online"     // it has applied what was committed when it met the leader
	Leaving    State = "leaving"    // it has been asked to stop
	Offline    State = "offline"    // it does not run, or is frozen; said by who runs it
	Failed     State = "failed"     // its storage has failed
)

// Vote is a node's vote for a leader.
type Vote struct {
	Term uint64 // 0 if it never voted
	For  string // the candidate, by a name that the database's nodes have for it
}

// Peer is a member of a cluster, as a node knows it.
type Peer struct {
	ID      string
	Address string // host:port
	Voter   bool   // whether it counts for a quorum
}

// Status is what a node shows of itself. A database that does not know one of
// the numbers leaves it 0.
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
	// LedTerms are the terms it has led since it started. Two nodes that led in
	// one term are a broken promise.
	LedTerms []uint64
	// Vote is whom it has voted for last. A node that forgets it, or votes for two in
	// one term, has broken its promise.
	Vote Vote
	// LastContact is how long ago it heard from a leader; negative if never.
	LastContact time.Duration
	// Behind is how many log entries the node knows of, by its own log and its
	// leader's word, and has not applied.
	Behind uint64
	// Voter tells whether it counts for a quorum, as far as it knows.
	Voter bool
	// Peers are the members of its cluster, itself among them, as far as it knows; none if
	// it cannot tell.
	Peers []Peer
	// Activities is the long work that the node does now.
	Activities Activities
	// LogEntries is how many entries its log holds.
	LogEntries uint64
	// Memory is how much of it the node's process has, in bytes; 0 where the node
	// has no process of its own.
	Memory uint64
	Reason string // why, if it failed or is offline
}
