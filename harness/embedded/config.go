package embedded

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/network"
)

// Peer is a member of the cluster.
type Peer struct {
	ID      string
	Address string // host:port
}

// Config configures a node. ID, Dir and Endpoint are required; every other field may be zero.
type Config struct {
	// ID names the node. It must be unique, and must never be reused for another node.
	ID string
	// Dir is the node's data directory. It must exist, and no other node may use it.
	Dir string
	// Disk holds Raft's log and snapshots; default: files below Dir. The working copy of the
	// database is always in Dir.
	Disk *disk.Disk
	// Endpoint is the node's single address. Stop and Close close everything that was opened on it.
	Endpoint network.Endpoint
	// Peers are the first members of a new cluster, including this node. They are used only while
	// the log is empty; after that the log determines the members. Without Peers the node waits
	// until a cluster adds it.
	Peers []Peer

	// ElectionTimeout is how long a follower waits for a leader's message before it starts an
	// election; the actual wait is random, up to twice as long. It is also the leader's lease. At
	// least 10ms; default 50ms.
	ElectionTimeout time.Duration
	// SnapshotThreshold is the number of log entries since the last snapshot after which a new one
	// is taken; default 8192. A snapshot is also taken when these entries hold more than 128 MiB
	// and more than the last snapshot.
	SnapshotThreshold uint64
	// SnapshotInterval is the time between two checks whether a snapshot is due; the actual time is
	// random, up to twice as long. At least 5ms; default 2m.
	SnapshotInterval time.Duration
	// TrailingLogs is the number of log entries that are kept before a snapshot, for followers that
	// are slightly behind; default 10240, none if negative. Fewer are kept if they would hold more
	// than 64 MiB.
	TrailingLogs int64
	// WriteTimeout bounds how long a request waits for a leader, for a quorum and for this node to
	// catch up; default 2s.
	WriteTimeout time.Duration
	// RequestTimeout bounds how long a client may take to send a request, and to read each piece of
	// an answer; default 10s.
	RequestTimeout time.Duration
	// ReadTimeout bounds a read from its start to the end of its answer; a read that takes longer
	// ends with an error. Default 30s. It does not include the wait for a leader, which
	// WriteTimeout bounds. Machine limits the steps of a read.
	ReadTimeout time.Duration
	// MaxBody is the maximum size of a request body in bytes; default 16 MiB.
	MaxBody int64
	// Token, if not empty, is required in every request ("Authorization: Bearer <token>") except
	// health checks, and between nodes. Without a Token every client that reaches the port can
	// read and change all data and the members, and append to the log as a leader does. Web pages
	// are then kept out only by Hosts and by the refusal of requests of other origins.
	Token string
	// Hosts are additional names that the Host header may have, without a port: of a proxy, or of
	// the node in DNS. The node's own address, localhost and IP addresses are always allowed. Other
	// names are refused, so that a web page cannot reach the node through a DNS name that it
	// controls (DNS rebinding).
	Hosts []string
	// Logger receives the log messages of Raft and the node; none if nil.
	Logger hclog.Logger
	// Now is the clock that SQL functions see while this node leads; default time.Now. It may be
	// wrong and may jump: no guarantee of the database depends on it, except how long keys are
	// remembered.
	Now func() time.Time
	// Roles is called with the role at the start and then with each change of the node's role, term
	// or leader, in order; may be nil. Raft waits for it, so it must not block and must not call
	// the node.
	Roles func(RoleChange)
	// Seams returns decorators of the node's parts. It is called at each start; may be nil.
	Seams func(Life) Seams
	// Machine contains the limits of SQL. They must be the same on all nodes.
	Machine machine.Options

	// bounds are the bounds of the log in bytes; default snapshotBytes and trailingBytes.
	bounds logBounds
}

const (
	minElectionTimeout  = 10 * time.Millisecond
	minSnapshotInterval = 5 * time.Millisecond
)

func (c Config) withDefaults() Config {
	c.ElectionTimeout = orElse(c.ElectionTimeout, 50*time.Millisecond)
	c.SnapshotThreshold = orElse(c.SnapshotThreshold, 8192)
	c.SnapshotInterval = orElse(c.SnapshotInterval, 2*time.Minute)
	c.TrailingLogs = max(orElse(c.TrailingLogs, 10240), 0)
	c.WriteTimeout = orElse(c.WriteTimeout, 2*time.Second)
	c.RequestTimeout = orElse(c.RequestTimeout, 10*time.Second)
	c.ReadTimeout = orElse(c.ReadTimeout, 30*time.Second)
	c.MaxBody = orElse(c.MaxBody, 16<<20)
	c.Machine = c.Machine.WithDefaults()
	if c.Disk == nil {
		c.Disk = disk.Files(c.Dir)
	}
	c.bounds.snapshot = orElse(c.bounds.snapshot, snapshotBytes)
	c.bounds.trailing = orElse(c.bounds.trailing, trailingBytes)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	return c
}

func orElse[V comparable](value, otherwise V) V {
	var zero V
	if value == zero {
		return otherwise
	}
	return value
}

func (c Config) validate() error {
	var problems []error
	switch {
	case c.ID == "":
		problems = append(problems, errors.New("ID is empty"))
	case !printable(c.ID):
		problems = append(problems, errors.New("ID is not printable ASCII"))
	}
	if !printable(c.Token) {
		problems = append(problems, errors.New("the Token is not printable ASCII"))
	}
	if c.Dir == "" {
		problems = append(problems, errors.New("the Dir is empty"))
	}
	if c.Endpoint == nil {
		problems = append(problems, errors.New("the Endpoint is nil"))
	}
	if c.ElectionTimeout < minElectionTimeout {
		problems = append(problems, fmt.Errorf("ElectionTimeout %v is below %v", c.ElectionTimeout, minElectionTimeout))
	}
	if c.SnapshotInterval < minSnapshotInterval {
		problems = append(problems, fmt.Errorf("SnapshotInterval %v is below %v", c.SnapshotInterval, minSnapshotInterval))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"WriteTimeout", c.WriteTimeout}, {"RequestTimeout", c.RequestTimeout}, {"ReadTimeout", c.ReadTimeout}} {
		if d.value < 0 {
			problems = append(problems, fmt.Errorf("%s %v is negative", d.name, d.value))
		}
	}
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"MaxBody", c.MaxBody}, {"Machine.Budget", c.Machine.Budget},
		{"Machine.Memory", c.Machine.Memory},
		{"Machine.ReadBudget", c.Machine.ReadBudget}, {"Machine.ReadMemory", c.Machine.ReadMemory},
		{"Machine.AnswerLimit", c.Machine.AnswerLimit}, {"Machine.Readers", int64(c.Machine.Readers)},
	} {
		if n.value < 0 {
			problems = append(problems, fmt.Errorf("%s %d is negative", n.name, n.value))
		}
	}
	problems = append(problems, c.listedTwice()...)
	if len(c.Peers) > 0 && !slices.ContainsFunc(c.Peers, func(p Peer) bool { return p.ID == c.ID }) {
		problems = append(problems, errors.New("the Peers do not include the node itself"))
	}
	if len(problems) > 0 {
		return fmt.Errorf("node %q cannot start: %w", c.ID, errors.Join(problems...))
	}
	return nil
}

// listedTwice returns an error for each ID and address that more than one of the Peers has.
func (c Config) listedTwice() (problems []error) {
	seen := make(map[string]bool)
	for _, peer := range c.Peers {
		for _, what := range []string{"ID " + peer.ID, "address " + peer.Address} {
			if seen[what] {
				problems = append(problems, fmt.Errorf("the Peers contain a duplicate %s", what))
			}
			seen[what] = true
		}
	}
	return problems
}

// printable returns whether the text is a valid value of an HTTP header.
func printable(text string) bool {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
