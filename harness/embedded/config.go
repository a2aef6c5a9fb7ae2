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
	Address string // host:port, of its one port
}

// Config is what a node needs. ID, Dir and Endpoint must be given; the zero
// value of everything else works.
type Config struct {
	// ID names the node, uniquely and for all time.
	ID string
	// Dir is where the node keeps its files. It must exist and be the node's own.
	Dir string
	// Disk is where Raft's log and snapshots are; the files below Dir if nil. The
	// working copy of the database is in Dir either way.
	Disk *disk.Disk
	// Endpoint is the node's one address. Stop closes what was opened on it.
	Endpoint network.Endpoint
	// Peers are the first members of a new cluster, this node among them. They
	// count only while the log is empty; later the log knows. Without Peers the
	// node waits to be added.
	Peers []Peer

	// ElectionTimeout is how long a node waits without word from a leader
	// before it stands for election itself, at least; up to twice that. It is
	// also the leader's lease. At least 10ms; 50ms if 0.
	ElectionTimeout time.Duration
	// SnapshotThreshold is how many log entries may pile up before a snapshot
	// is taken; 8192 if 0. A snapshot is also taken when the entries since the
	// last hold more than 128 MiB, and more than the last snapshot.
	SnapshotThreshold uint64
	// SnapshotInterval is how often a node looks whether a snapshot is due, up
	// to twice that. At least 5ms; 2m if 0.
	SnapshotInterval time.Duration
	// TrailingLogs is how many entries before a snapshot are kept in the log,
	// for followers that are a little behind; 10240 if 0, none if negative. Fewer
	// are kept if these would hold more than 64 MiB.
	TrailingLogs int64
	// WriteTimeout bounds how long a request waits for a leader, for a quorum
	// and for this node to catch up; 2s if 0.
	WriteTimeout time.Duration
	// RequestTimeout bounds how long a client may take to send a request, and to
	// take in each piece of an answer; 10s if 0.
	RequestTimeout time.Duration
	// ReadTimeout bounds a read, from when it begins to the end of its answer; a read
	// that takes longer is ended by an error. 30s if 0. Machine has a limit of steps.
	// The wait for a leader before it is WriteTimeout's.
	ReadTimeout time.Duration
	// MaxBody bounds a request's body, in bytes; 16 MiB if 0.
	MaxBody int64
	// Token, if not empty, must come with every request ("Authorization: Bearer
	// <token>") but health checks, and between the nodes. Without a Token every client that
	// reaches the port can read and change all data and the members, and write to the
	// log as a leader does. What is left then against web pages is Hosts, and that
	// requests of other origins are refused.
	Token string
	// Hosts are further names that requests may be addressed to, in header Host, without
	// a port: those of a proxy, or of the node in DNS. Without them only the node's own
	// address, localhost and IP addresses are, so that no web page can reach the node by
	// a name that it has made point there (DNS rebinding).
	Hosts []string
	// Logger takes Raft's and the node's own log; none if nil.
	Logger hclog.Logger
	// Now is the clock that SQL sees when this node leads: time.Now if nil. No
	// promise of the database hangs on it, so it may be wrong, and jump.
	Now func() time.Time
	// Roles is called with each change of the node's role, term or leader, in order and beginning
	// with the role at the start; nil for none. Raft waits for it: it must not block, and must
	// not use the node.
	Roles func(RoleChange)
	// Seams returns the decorators of the node's parts, at each start; none if nil.
	Seams func(Life) Seams
	// Machine are the limits that all nodes must agree on.
	Machine machine.Options

	// bounds of the log in bytes; the package's own if 0.
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
		problems = append(problems, errors.New("it has no ID"))
	case !printable(c.ID):
		problems = append(problems, errors.New("its ID is not all printable ASCII"))
	}
	if !printable(c.Token) {
		problems = append(problems, errors.New("its Token is not all printable ASCII"))
	}
	if c.Dir == "" {
		problems = append(problems, errors.New("it has no Dir"))
	}
	if c.Endpoint == nil {
		problems = append(problems, errors.New("it has no Endpoint"))
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
		problems = append(problems, errors.New("it is not among its Peers"))
	}
	if len(problems) > 0 {
		return fmt.Errorf("node %q cannot start: %w", c.ID, errors.Join(problems...))
	}
	return nil
}

// listedTwice are the IDs and addresses that more than one of the Peers has.
func (c Config) listedTwice() (problems []error) {
	seen := make(map[string]bool)
	for _, peer := range c.Peers {
		for _, what := range []string{"ID " + peer.ID, "address " + peer.Address} {
			if seen[what] {
				problems = append(problems, fmt.Errorf("its Peers have a duplicate %s", what))
			}
			seen[what] = true
		}
	}
	return problems
}

// printable tells whether the text can be the value of an HTTP header.
func printable(text string) bool {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
