package rqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/proc"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// own is what a node answers to /status, as far as it is used.
type own struct {
	Store struct {
		ID     string   `json:"node_id"`
		Nodes  []server `json:"nodes"`
		FSM    uint64   `json:"fsm_index"`
		Leader struct {
			ID string `json:"node_id"`
		} `json:"leader"`
		Raft struct {
			State    string `json:"state"`
			Term     uint64 `json:"term"`
			Commit   uint64 `json:"commit_index"`
			Applied  uint64 `json:"applied_index"`
			Last     uint64 `json:"last_log_index"`
			Snapshot uint64 `json:"last_snapshot_index"`
			Contact  any    `json:"last_contact"`
			Voter    bool   `json:"voter"`
		} `json:"raft"`
	} `json:"store"`
}

// server is a member of the cluster.
type server struct {
	ID       string `json:"id"`
	Address  string `json:"addr"` // of Raft
	Suffrage string `json:"suffrage"`
}

// nonVoter is the suffrage of a member without a vote.
const nonVoter = "nonvoter"

// errClosed is of a node whose HTTP API is ahead of its store.
var errClosed = errors.New("its store is not open yet")

func view(ctx context.Context, n *proc.Node) (seen own, err error) {
	if err := n.GetJSON(ctx, ":"+httpPort+"/status", &seen); err != nil {
		return seen, err
	}
	if seen.Store.ID == "" {
		return seen, fmt.Errorf("node %s: %w", n.Name(), errClosed)
	}
	return seen, nil
}

// status asks a node for its own view. The index that it has applied is that of the last statement which its SQLite has executed,
// fsm_index: Raft's applied_index is ahead of it, since Raft counts what it has handed over. A leader acknowledges a write when it
// has executed it itself, so that its fsm_index covers every acknowledged write.
func status(ctx context.Context, n *proc.Node) (target.Status, error) {
	seen, err := view(ctx, n)
	if err != nil {
		return target.Status{}, err
	}
	r := seen.Store.Raft
	s := target.Status{
		State: target.Online, Role: strings.ToLower(r.State), Leader: seen.Store.Leader.ID, Term: r.Term, SnapshotIndex: r.Snapshot,
		CommitIndex: seen.Store.FSM, AppliedIndex: seen.Store.FSM, Voter: r.Voter, LastContact: -1,
	}
	if r.Last > r.Applied {
		s.Behind = r.Last - r.Applied
	}
	if text, is := r.Contact.(string); is { // 0 for a leader, never, or a duration
		if contact, err := time.ParseDuration(text); err == nil {
			s.LastContact = contact
		}
	}
	for _, m := range seen.Store.Nodes {
		address := strings.TrimSuffix(m.Address, raftPort) + httpPort
		s.Peers = append(s.Peers, target.Peer{ID: m.ID, Address: address, Voter: m.Suffrage != nonVoter})
	}
	if s.Role == "leader" {
		s.LedTerms, s.LastContact = []uint64{r.Term}, 0
	}
	switch {
	case s.Leader == "":
		s.State = target.Connecting
	case r.Commit == 0 || r.Applied < r.Commit: // a node that has started does not know what is committed
		s.State = target.Syncing
	}
	return s, nil
}

// digest is the hash of a node's data. A table of megabytes takes seconds: rqlite writes each byte of a blob as a number.
func digest(ctx context.Context, n *proc.Node, _ target.SQL) (index uint64, sum string, err error) {
	return sqldb.SQLiteDigest(ctx, newSQL(n, 30*time.Second), func(ctx context.Context) (uint64, error) {
		seen, err := view(ctx, n)
		return seen.Store.FSM, err
	})
}
