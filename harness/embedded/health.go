package embedded

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"
)

// Health is the state of a node, and the JSON of GET /v1/api/cluster/health.
type Health struct {
	ID    string `json:"id"`
	State State  `json:"state"`
	// Role is leader, follower, candidate or shutdown.
	Role string `json:"role"`
	// Leader is the ID of the leader as this node knows it; empty if none.
	Leader string `json:"leader"`
	Term   uint64 `json:"term"`
	// CommitIndex is the last log index this node knows to be committed.
	CommitIndex uint64 `json:"commit_index"`
	// AppliedIndex is the last log index whose effects this node serves.
	AppliedIndex uint64 `json:"applied_index"`
	// Behind is the number of entries that are committed and not applied, according to this node's
	// log and to its leader when the node last joined it.
	Behind uint64 `json:"behind"`
	// LogEntries is the number of entries in its log.
	LogEntries uint64 `json:"log_entries"`
	// SnapshotIndex is the log index of its newest snapshot; 0 if none.
	SnapshotIndex uint64 `json:"snapshot_index"`
	// Restores counts the snapshots it has restored since it started.
	Restores uint64 `json:"restores"`
	// Skipped are the log indices of the entries that it has skipped since it started
	// (machine.Options.Skip).
	Skipped []uint64 `json:"skipped,omitempty"`
	// LedTerms are the terms it has led since it started.
	LedTerms []uint64 `json:"led_terms"`
	// Vote is its last vote.
	Vote Vote `json:"vote"`
	// LastContact is the time since the last message from a leader, in milliseconds; 0 on the
	// leader, -1 if there was none.
	LastContact float64 `json:"last_contact_ms"`
	// Voter is whether it is a voter, according to its own log.
	Voter bool     `json:"voter"`
	Peers []Member `json:"peers"`
	// Activities are the long-running work in progress, in order of start.
	Activities []Work `json:"activities,omitempty"`
	// Activity is the same as comma-separated text; empty if there is none.
	Activity string `json:"activity,omitempty"`
	Version  string `json:"version"`
	// Cluster is the ID of the cluster that the node belongs to; empty if none yet.
	Cluster string `json:"cluster,omitempty"`
	// Reason is why the node has failed, or what prevents it from connecting; empty if not known.
	Reason string `json:"reason,omitempty"`
}

// Health returns the current state of the node. It does not wait for other nodes.
func (n *Node) Health() Health {
	l, synced, _ := n.leaderState.look()
	peers, work := n.members(), n.activities.current()
	health := Health{
		ID:            n.config.ID,
		Role:          strings.ToLower(n.raft.State().String()),
		Leader:        l.id,
		Term:          n.raft.CurrentTerm(),
		CommitIndex:   n.raft.CommitIndex(),
		AppliedIndex:  n.storage.machine.Applied(),
		SnapshotIndex: n.newestSnapshot.Load(),
		Restores:      n.storage.machine.Restores(),
		Skipped:       n.storage.machine.Skipped(),
		LedTerms:      n.leaderState.ledTerms(),
		Vote:          n.votes.latest(),
		LastContact:   n.lastContact(),
		LogEntries:    n.logEntries(),
		Voter:         slices.ContainsFunc(peers, func(m Member) bool { return m.ID == n.config.ID && m.Voter }),
		Peers:         peers,
		Activities:    work,
		Activity:      inWords(work),
		Version:       version(),
		Cluster:       n.identity.get().Cluster,
	}
	health.CommitIndex = max(health.CommitIndex, n.replay.known())
	if known := max(health.CommitIndex, n.leaderState.mark()); known > health.AppliedIndex {
		health.Behind = known - health.AppliedIndex
	}
	if n.ended.Load() {
		health.Leader = "" // a closed node knows no leader
	}
	failed := n.storage.machine.Failed()
	emptied, astray, waiting := n.encounters.look()
	switch {
	case failed != nil:
		health.State, health.Reason = Failed, failed.Error()
	case emptied != "":
		health.State, health.Reason = Failed, emptied
	case n.leaderState.isLeaving():
		health.State = Leaving
	case astray != "":
		health.State, health.Reason = Connecting, astray
	case l.id == "":
		health.State, health.Reason = Connecting, waiting
	case !synced || n.replay.err() != nil:
		health.State = Syncing
	default:
		health.State = Online
	}
	return health
}

// Digest returns a hash of the complete content of the node's database and the log index at which it
// was computed. All nodes have the same hash at the same index.
func (n *Node) Digest(ctx context.Context) (index uint64, sum string, err error) {
	return n.storage.machine.Digest(ctx)
}

// Diverge changes the node's own database without the log; see machine.Machine.Diverge.
func (n *Node) Diverge(sql string) error {
	if !n.leaderState.enter(&n.requests) {
		return unavailable(CodeStopping, "node %s is leaving", n.config.ID)
	}
	defer n.requests.Done()
	return n.storage.machine.Diverge(sql)
}

// Snapshot takes a snapshot, whether or not one is due, and blocks until it is on disk. It removes
// log entries before the snapshot, except Config.TrailingLogs.
func (n *Node) Snapshot(ctx context.Context) error {
	if !n.leaderState.enter(&n.requests) {
		return unavailable(CodeStopping, "node %s is leaving", n.config.ID)
	}
	defer n.requests.Done()
	return n.wait(ctx, func() raft.Future { return n.raft.Snapshot() })
}

func (n *Node) lastContact() float64 {
	if n.raft.State() == raft.Leader {
		return 0
	}
	last := n.raft.LastContact()
	if last.IsZero() {
		return -1
	}
	return float64(time.Since(last).Microseconds()) / 1000
}

// logEntries returns the number of entries in the log; 0 after an error, which makes the node fail
// anyway.
func (n *Node) logEntries() uint64 {
	first, err := n.storage.Log.FirstIndex()
	if err != nil || first == 0 {
		return 0
	}
	last, err := n.storage.Log.LastIndex()
	if err != nil || last < first {
		return 0
	}
	return last - first + 1
}
