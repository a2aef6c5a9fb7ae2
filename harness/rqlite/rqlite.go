// Package rqlite tests rqlite, SQLite replicated by Raft behind an HTTP API, with Rejoin.
//
//	specs.Main(t, rqlite.New(rqlite.Options{Binary: "/usr/local/bin/rqlited"}))
//
// Any rqlited binary will do. A node is that program on a host of its own, and clients use its HTTP API.
package rqlite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dedupe"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/proc"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// Options are the settings of a target.
type Options struct {
	// Binary is the path of rqlited.
	Binary string
	// Election is how long a node waits for a leader before it stands for election, and the lease of a leader. 0 is rqlite's
	// default: 1 s, and a lease of 500 ms.
	Election time.Duration
	// Snapshot is after how many log entries a node takes a snapshot. 0 is rqlite's default: 8192.
	Snapshot int
	// Args are further arguments of each node.
	Args []string
}

const (
	httpPort = "4001"
	raftPort = "4002"
)

// alarms are those of Go, but for what a node says when its disk fails or its power is cut.
var alarms = target.DefaultAlarms().WithExpected("input/output error", "no space left on device")

// New returns a target of rqlite. Its nodes need hosts: see package hosts.
func New(o Options) target.Target {
	return proc.New(proc.Database{
		Name:     "rqlite",
		Vars:     map[string]string{"binary": o.Binary},
		Programs: []proc.Program{{Path: "{{.Vars.binary}}", Args: slices.Concat(arguments(o), o.Args, []string{"{{.Dir}}/data"})}},
		Address:  "{{.Host}}:" + httpPort,
		Order:    proc.FirstAlone, // a node without -join founds a cluster
		SQL:      func(n *proc.Node) (target.SQL, error) { return newSQL(n, 0), nil },
		Formed:   formed,
		Status:   status,
		Members:  &proc.Members{Join: joined, Leave: leave},
		Remembered: func(ctx context.Context, _ *proc.Node, inside target.SQL) (map[string]bool, error) {
			return dedupe.SQLite().Remembered(ctx, inside)
		},
		Digest:    digest,
		Alarms:    &alarms,
		CutsPower: true,
		Parts:     map[fault.Part]string{fault.Log: "data/raft.db", fault.Snapshot: "data/rsnapshots/*/*"},
		Declares: []target.Assumption{
			target.SQLite, target.Namespaces, target.OrderedKeys, target.ShowsCommitted, target.ShowsStored, target.AnyQuorum,
			target.KeepsTerm, target.StepsDown, target.PreVote,
		},
		Claims: claims(),
	}, proc.Options{})
}

// arguments are templates of the command line of a node. -join is for the first start only: a node that has joined knows its
// cluster.
func arguments(o Options) []string {
	args := []string{
		"-node-id={{.Name}}", "-http-addr={{.Host}}:" + httpPort, "-raft-addr={{.Host}}:" + raftPort,
		`{{if and .First .Others (not .Bootstrap)}}-join={{join .Others "{{.Host}}:` + raftPort + `" ","}}{{end}}`,
		"-join-attempts=600", "-join-interval=50ms", "{{if .Learner}}-raft-non-voter{{end}}",
		"-cluster-connect-timeout=1s", // for a node to connect to the leader when it forwards a request
	}
	if o.Election > 0 {
		for _, timeout := range []string{"heartbeat", "election", "leader-lease"} {
			args = append(args, fmt.Sprintf("-raft-%s-timeout=%s", timeout, o.Election))
		}
	}
	if o.Snapshot > 0 {
		args = append(args, "-raft-snap="+strconv.Itoa(o.Snapshot), "-raft-snap-int=100ms")
	}
	return args
}

// The pages of rqlite's documentation that say what it promises.
const (
	consistencyPage = "rqlite, Read Consistency, "
	faqPage         = "rqlite, FAQ, "
	apiPage         = "rqlite, Developer Guide, "
)

func claims() []target.Claim {
	return []target.Claim{
		{Promise: target.Durability, Made: true, Source: "rqlite, Queued Writes: any other write is answered after a majority has committed it"},
		{Promise: target.Recency, Made: true, Source: consistencyPage + "Linearizable: a read returns at least the latest committed write"},
		{Promise: target.OneWriter, Made: true, Source: faqPage + "CAP theorem: only the side with a majority responds to writes"},
		{Promise: target.Convergence, Made: true, Source: faqPage + "What exactly does rqlite do: it prevents divergent copies of the data"},
		{Promise: target.Atomicity, Made: true, Source: apiPage + "Transactions: all statements of a request succeed, or none"},
		{Promise: target.AppliedOnce, Made: true, Source: apiPage + "Request Forwarding: a node retries only if the request asks for retries"},
	}
}

// formed waits until all nodes are members, and makes the tables of the kit.
func formed(ctx context.Context, nodes []*proc.Node) error {
	return proc.Until(ctx, func(ctx context.Context) error {
		for _, n := range nodes {
			seen, err := view(ctx, n)
			if err != nil {
				return err
			}
			if len(seen.Store.Nodes) != len(nodes) || seen.Store.Leader.ID == "" {
				return fmt.Errorf("node %s knows %d of %d members, and leader %q", n.Name(), len(seen.Store.Nodes), len(nodes), seen.Store.Leader.ID)
			}
		}
		return newSQL(nodes[0], 0).Execute(ctx, append(dialect.Prefixes{}.Setup(), dedupe.SQLite().Setup())...)
	})
}

// errAbsent tells that a node is no member yet, or is behind.
var errAbsent = errors.New("it has not joined the cluster and caught up")

// joined returns nil when a node that was started with -join is a member and has caught up.
func joined(ctx context.Context, member, n *proc.Node, voter bool) error {
	known, err := view(ctx, member)
	if err != nil {
		return err
	}
	own, err := view(ctx, n)
	if err != nil {
		return err
	}
	is := slices.ContainsFunc(known.Store.Nodes, func(s server) bool { return s.ID == n.Name() && (s.Suffrage != nonVoter) == voter })
	if !is || own.Store.Leader.ID == "" || own.Store.FSM < known.Store.FSM {
		return fmt.Errorf("node %s: %w", n.Name(), errAbsent)
	}
	return mark(ctx, member)
}

// leave takes a node out of the members.
func leave(ctx context.Context, member, n *proc.Node) error {
	if err := member.SendJSON(ctx, http.MethodDelete, "/remove", nil, map[string]string{"id": n.Name()}, nil); err != nil {
		return err
	}
	return mark(ctx, member)
}

// mark appends a statement to the log, which changes nothing. So the last entry of a log is never a change of the members, which
// counts in the index of a restored snapshot and in no other: see status.
func mark(ctx context.Context, member *proc.Node) error {
	return newSQL(member, 0).Execute(ctx, "DELETE FROM rejoin_namespaces WHERE name = ''")
}

// newSQL limits a request by the timeout; 0 is the kit's.
func newSQL(n *proc.Node, timeout time.Duration) *sqldb.Batch {
	options := sqldb.Options{Node: n.Name(), Dialect: dialect.Prefixes{}, Judge: judge, Timeout: timeout}
	return sqldb.NewBatch(options, send(n), dedupe.SQLite())
}
