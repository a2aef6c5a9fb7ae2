package galera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/proc"
)

// answers is the port at which socat tells what a node does.
const answers = "4569"

// ownView is what a node tells of itself. The tables have the latest primary component: its members in the order of their UUIDs,
// and the sequence number with which it began.
const ownView = `SELECT lower(variable_name), variable_value FROM information_schema.global_status WHERE variable_name IN
		('wsrep_ready', 'wsrep_cluster_status', 'wsrep_local_state_comment', 'wsrep_last_committed')
	UNION ALL SELECT 'view', view_seqno FROM mysql.wsrep_cluster
	UNION ALL SELECT 'first', (SELECT node_name FROM mysql.wsrep_cluster_members ORDER BY node_uuid LIMIT 1)`

// status asks a node. One that does not answer waits for a primary component, or gets its state from another node.
func status(ctx context.Context, n *proc.Node) (target.Status, error) {
	s := target.Status{State: target.Connecting, Role: "follower", LastContact: -1, Voter: true}
	rows, err := n.Inside().(*node).own.Ask(ctx, ownView)
	if err != nil {
		s.Reason = err.Error()
		return s, nil
	}
	said := make(map[string]string)
	for _, row := range rows {
		said[fmt.Sprint(row[0])] = fmt.Sprint(row[1])
	}
	s.AppliedIndex, s.Term = number(said["wsrep_last_committed"]), number(said["view"])
	s.CommitIndex = s.AppliedIndex
	if said["wsrep_cluster_status"] != "Primary" {
		s.Reason = "its component is " + said["wsrep_cluster_status"]
		return s, nil
	}
	if s.Leader = said["first"]; s.Leader == n.Name() {
		s.Role, s.LedTerms = "leader", []uint64{s.Term}
	}
	s.State = target.Syncing
	if said["wsrep_ready"] == "ON" && said["wsrep_local_state_comment"] == "Synced" {
		s.State = target.Online
	} else {
		s.Reason = "it is " + said["wsrep_local_state_comment"]
	}
	return s, nil
}

func number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0 // -1 is of a node that has no state yet
	}
	return n
}

// errAwaited is of a node whose others are a primary component that it can join.
var errAwaited = errors.New("other nodes are a primary component, and it has not joined them yet")

// ready is nil when the node serves, or when it can do nothing without others: MariaDB does not listen before there is a
// primary component.
func ready(ctx context.Context, n *proc.Node) error {
	s, err := status(ctx, n)
	if err != nil || s.State == target.Online {
		return err
	}
	for _, other := range n.View().Others {
		conn, err := n.Dial(ctx, "tcp", other.Host+":"+answers)
		if err != nil {
			continue // it is away
		}
		said, _ := io.ReadAll(conn)
		_ = conn.Close()
		if strings.HasPrefix(string(said), "primary") {
			return errAwaited
		}
	}
	return nil
}

// formed waits until all nodes are one component, and makes what the kit needs.
func formed(ctx context.Context, nodes []*proc.Node) error {
	for _, n := range nodes {
		if err := joined(ctx, nil, n, true); err != nil {
			return err
		}
	}
	return proc.Until(ctx, func(ctx context.Context) error { return nodes[0].Inside().(*node).Execute(ctx, prepared()...) })
}

// joined waits until a node is a member that has caught up.
func joined(ctx context.Context, _, n *proc.Node, _ bool) error {
	return proc.Until(ctx, func(ctx context.Context) error {
		s, err := status(ctx, n)
		if err == nil && s.State != target.Online {
			err = fmt.Errorf("node %s is %s: %s", n.Name(), s.State, s.Reason)
		}
		return err
	})
}

// leave has a member leave the group, so that the others do not take it for lost. One that is away has left already.
func leave(ctx context.Context, _, gone *proc.Node) error {
	s, err := status(ctx, gone)
	if err != nil || s.State != target.Online {
		return err
	}
	return gone.Inside().(*node).own.Execute(ctx, "SET GLOBAL wsrep_cluster_address = ''")
}

// tables are the tables of clients and of the kit.
const tables = `SELECT group_concat(concat('"', table_schema, '"."', table_name, '"') ORDER BY 1 SEPARATOR ', ') FROM information_schema.tables
	WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')`

var errBusy = errors.New("the node has applied changes while its tables were read")

// digest has MariaDB hash all rows of a node, while nothing changes.
func digest(ctx context.Context, n *proc.Node, _ target.SQL) (index uint64, sum string, err error) {
	own := n.Inside().(*node).own
	err = proc.Until(ctx, func(ctx context.Context) error {
		before, err := status(ctx, n)
		if err != nil {
			return err
		}
		named, err := own.Ask(ctx, tables)
		if err != nil {
			return err
		}
		rows, err := own.Ask(ctx, fmt.Sprintf("CHECKSUM TABLE %s EXTENDED", named[0][0]))
		if err != nil {
			return err
		}
		after, err := status(ctx, n)
		if err == nil && after.AppliedIndex != before.AppliedIndex {
			err = errBusy
		}
		index, sum = after.AppliedIndex, fmt.Sprint(rows)
		return err
	})
	return index, sum, err
}
