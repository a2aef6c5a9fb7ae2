package dqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/canonical/go-dqlite/client"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/proc"
)

// counting makes a counter of commits. dqlite tells its clients no log index: the counter in a node's own database is how far
// the node has applied.
var counting = []string{
	"CREATE TABLE IF NOT EXISTS rejoin_applied (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL)",
	"INSERT OR IGNORE INTO rejoin_applied VALUES (1, 1)",
}

const count = "UPDATE rejoin_applied SET n = n + 1"

// status asks a node for its leader, its members and its database, and reads its term from its disk.
func status(ctx context.Context, n *proc.Node) (target.Status, error) {
	s := target.Status{State: target.Online, Role: "follower", LastContact: -1}
	for { // what it says of a leader is of its term only if that did not change meanwhile
		before := term(n.Dir())
		if err := view(ctx, n, &s); err != nil {
			return s, err
		}
		if s.Term = term(n.Dir()); s.Term == before {
			break
		}
	}
	switch {
	case s.Leader == "":
		s.State = target.Connecting
	case s.Leader == n.Name():
		s.Role = "leader"
		if s.Term > 0 {
			s.LedTerms = []uint64{s.Term}
		}
	}
	image, err := dump(ctx, n)
	if err != nil {
		return s, err
	}
	s.AppliedIndex, err = applied(ctx, image)
	s.CommitIndex = s.AppliedIndex
	return s, err
}

// view asks a node for its leader and its members.
func view(ctx context.Context, n *proc.Node, s *target.Status) error {
	return ask(ctx, n, func(c *client.Client) error {
		leader, err := c.Leader(ctx)
		if err != nil {
			return err
		}
		s.Leader, s.Peers, s.Voter = name(n, leader.Address), nil, false
		members, err := c.Cluster(ctx)
		for _, m := range members {
			s.Peers = append(s.Peers, target.Peer{ID: name(n, m.Address), Address: m.Address, Voter: m.Role == client.Voter})
			s.Voter = s.Voter || m.Address == n.Address() && m.Role == client.Voter
		}
		return err
	})
}

// name is the name of the node with that address; the address itself if it is of none.
func name(n *proc.Node, address string) string {
	for _, p := range n.View().Nodes {
		if p.Host+":"+port == address {
			return p.Name
		}
	}
	return address
}

// term is the newest term that a node has written to its disk; 0 if none can be read. Of its two files it writes one at a time:
// format, version, term and vote, of 8 bytes each.
func term(dir string) (newest uint64) {
	var version uint64
	for _, file := range []string{"metadata1", "metadata2"} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err == nil && len(b) >= 32 && binary.LittleEndian.Uint64(b[8:]) > version {
			version, newest = binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
		}
	}
	return newest
}

// digest hashes the pages of a node's database, which are the same on all nodes after the same commits.
func digest(ctx context.Context, n *proc.Node, _ target.SQL) (uint64, string, error) {
	image, err := dump(ctx, n)
	if err != nil {
		return 0, "", fmt.Errorf("dump its database: %w", err)
	}
	index, err := applied(ctx, image)
	sum := sha256.Sum256(image)
	return index, hex.EncodeToString(sum[:]), err
}
