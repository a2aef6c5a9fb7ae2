package dqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/canonical/go-dqlite/client"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dedupe"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/proc"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// Options are the settings of a target.
type Options struct {
	// Binary is the path of the nodes' program: see Build.
	Binary string
	// Latency is dqlite's own setting: a leader sends a heartbeat every 1.5, and an election begins after 15 of it. 0 is
	// dqlite's default: a heartbeat every 0.5 s, and an election after 3 s.
	Latency time.Duration
	// Snapshot is after how many log entries a node takes a snapshot, and Trailing how many entries it keeps behind it. 0 is
	// dqlite's default.
	Snapshot, Trailing int
}

const (
	port     = "9000"
	relay    = "9001"
	database = "main.db"
)

// New returns a target of dqlite. It must not be used before Options.Binary is built.
func New(o Options) target.Target {
	return proc.New(proc.Database{
		Name: "dqlite",
		Vars: map[string]string{
			"binary": o.Binary, "latency": o.Latency.String(), "snapshot": fmt.Sprint(o.Snapshot), "trailing": fmt.Sprint(o.Trailing),
		},
		Programs: []proc.Program{{
			Path: "{{.Vars.binary}}",
			Args: []string{
				"-index={{.Index}}", "{{if .Bootstrap}}-bootstrap{{end}}", "-dir={{.Dir}}",
				"-listen={{.Host}}:" + port, "-relay={{.Host}}:" + relay,
				"-latency={{.Vars.latency}}", "-snapshot={{.Vars.snapshot}}", "-trailing={{.Vars.trailing}}",
			},
		}},
		Address: "{{.Host}}:" + port,
		SQL:     newSQL,
		Ready: func(ctx context.Context, n *proc.Node) error {
			return ask(ctx, n, func(c *client.Client) error { _, err := c.Leader(ctx); return err })
		},
		Formed:  formed,
		Status:  status,
		Members: &proc.Members{Join: join, Leave: leave},
		Remembered: func(ctx context.Context, _ *proc.Node, inside target.SQL) (map[string]bool, error) {
			return dedupe.SQLite().Remembered(ctx, inside)
		},
		Digest:    digest,
		CutsPower: true,
		Parts:     map[fault.Part]string{fault.Log: "open-*", fault.LogMeta: "metadata1", fault.Snapshot: "snapshot-*[0-9]"},
		Declares: []target.Assumption{
			target.SQLite, target.Namespaces, target.SameEverywhere, target.OrderedKeys, target.KeepsAnswers, target.KeepsTerm,
			target.StepsDown, target.PreVote,
			target.ShowsCommitted, target.ShowsStored, target.AnyQuorum,
		},
		Claims: []target.Claim{
			{Promise: target.Recency, Source: "dqlite, Consistency model: reads may be stale"},
			{Promise: target.Durability, Made: true, Source: "dqlite, FAQ: a committed transaction is never undone"},
		},
	}, proc.Options{})
}

// node is the SQL of a node: the replica answers local reads, and the leader everything else.
type node struct{ leader, replica *sqldb.DB }

func newSQL(n *proc.Node) (target.SQL, error) {
	options := sqldb.Options{
		Node: n.Name(), Dialect: dialect.Prefixes{}, Judge: judge, Once: dedupe.SQLite(), Value: exact,
		Begin: []string{"BEGIN IMMEDIATE"}, BeginReading: []string{"BEGIN"}, InTheWay: busy, BeforeCommit: []string{count},
		Levels: map[target.Isolation][]string{target.Serializable: {"BEGIN"}},
		// dqlite's reads may be stale. A read behind a commit on the same connection is not.
		Prepare: map[target.Consistency][]string{target.Strong: {count}},
	}
	replica := sql.OpenDB(&replicas{n})
	replica.SetConnMaxLifetime(1) // each request reads a copy of its own
	return &node{sqldb.New(sql.OpenDB(&connector{n}), options), sqldb.New(replica, options)}, nil
}

func (n *node) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	if request.Consistency == target.Local && reads(request.SQL) {
		return n.replica.Query(ctx, request)
	}
	return n.leader.Query(ctx, request)
}

func (n *node) Isolations() []target.Isolation { return n.leader.Isolations() }

func (n *node) Begin(ctx context.Context, level target.Isolation) (target.Transaction, error) {
	return n.leader.Begin(ctx, level)
}

func (n *node) Close() error { return errors.Join(n.leader.Close(), n.replica.Close()) }

// ask connects to a node itself, whether or not it leads, until do has returned or ctx ends.
func ask(ctx context.Context, n *proc.Node, do func(*client.Client) error) error {
	dial := func(ctx context.Context, address string) (net.Conn, error) { return dialed(ctx, n, address) }
	c, err := client.New(ctx, n.Address(), client.WithDialFunc(dial))
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c)
}

// dialed connects, and breaks the connection when ctx ends: the client heeds deadlines only.
func dialed(ctx context.Context, n *proc.Node, address string) (net.Conn, error) {
	conn, err := n.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return conn, nil
}

// id is the number of a node which did not found the cluster.
func id(index int) uint64 { return uint64(index) + 2 }

// formed makes the nodes members, and then the tables of the kit.
func formed(ctx context.Context, nodes []*proc.Node) error {
	for _, n := range nodes[1:] {
		err := proc.Until(ctx, func(ctx context.Context) (err error) {
			for _, member := range nodes {
				if err = join(ctx, member, n, true); err == nil {
					return nil
				}
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("make %s a member: %w", n.Name(), err)
		}
	}
	setup := append(dialect.Prefixes{}.Setup(), dedupe.SQLite().Setup())
	return proc.Until(ctx, func(ctx context.Context) error {
		return nodes[0].Inside().(*node).leader.Execute(ctx, append(setup, counting...)...)
	})
}

// join makes a node a member, if the member that is asked leads. dqlite calls a member that gets the log and has no vote standby.
func join(ctx context.Context, member, n *proc.Node, voter bool) error {
	role := client.StandBy
	if voter {
		role = client.Voter
	}
	return command(ctx, member, func(c *client.Client) error {
		known, err := find(ctx, c, n)
		switch {
		case err != nil:
			return err
		case known == nil:
			return c.Add(ctx, client.NodeInfo{ID: id(n.View().Index), Address: n.Address(), Role: role})
		case known.Role == role:
			return nil
		}
		return c.Assign(ctx, known.ID, role)
	})
}

// leave takes a node out of the members, if the member that is asked leads. A node that leads hands over first: it is not asked to
// remove itself.
func leave(ctx context.Context, member, n *proc.Node) error {
	brief, end := context.WithTimeout(ctx, attempt)
	defer end()
	_ = ask(brief, n, func(c *client.Client) error { // it may not run, or not lead: then there is nothing to hand over
		next, err := find(brief, c, member)
		if err != nil || next == nil {
			return err
		}
		return c.Transfer(brief, next.ID)
	})
	return command(ctx, member, func(c *client.Client) error {
		known, err := find(ctx, c, n)
		switch {
		case err != nil:
			return err
		case known == nil: // it lists what it has logged: an earlier attempt is committed if a change that follows is
			return member.Inside().(*node).leader.Execute(ctx, count)
		}
		return c.Remove(ctx, known.ID)
	})
}

// command asks a member that leads. Other members list what they have logged, which may be undone.
func command(ctx context.Context, member *proc.Node, do func(*client.Client) error) error {
	return ask(ctx, member, func(c *client.Client) error {
		leader, err := c.Leader(ctx)
		if err != nil {
			return err
		}
		if leader.Address != member.Address() {
			return fmt.Errorf("%s does not lead", member.Name())
		}
		return do(c)
	})
}

// find returns what a member knows of a node; nil if it is none.
func find(ctx context.Context, c *client.Client, n *proc.Node) (*client.NodeInfo, error) {
	members, err := c.Cluster(ctx)
	for _, m := range members {
		if m.Address == n.Address() {
			return &m, err
		}
	}
	return nil, err
}
