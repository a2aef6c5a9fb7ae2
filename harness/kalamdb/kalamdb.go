// Package kalamdb tests KalamDB, a SQL database over RocksDB and OpenRaft behind an HTTP API, with Rejoin.
//
//	specs.Main(t, kalamdb.New(kalamdb.Options{Binary: "/usr/local/bin/kalamdb-server"}))
//
// Any kalamdb-server binary will do. A node is that program on a host of its own. Clients use its HTTP API, and what a node holds
// itself is read from the snapshot of a WebSocket subscription, since a node passes every SELECT to the leader.
package kalamdb

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/proc"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// Options are the settings of a target.
type Options struct {
	// Binary is the path of kalamdb-server.
	Binary string
}

const (
	apiPort = "8080"
	rpcPort = "9188"
	name    = "KalamDB" // for messages
	user    = "root"
	secret  = "rejoin-rejoin-rejoin-rejoin-rejoin" // of root and of tokens
	// mostRows is how many rows a SELECT may have. KalamDB cuts longer answers off, and says nothing: see rowsOf.
	mostRows = 100_000
)

// replication is the page of KalamDB's sources that says what it promises.
const replication = "KalamDB, docs/architecture/raft-replication.md, "

const config = `
[server]
[storage]
[limits]
default_query_limit = 100000
max_query_limit = 100000
[logging]
log_to_console = true
[performance]
[rate_limit]
enable_connection_protection = false
max_queries_per_sec = 100000
max_messages_per_sec = 100000
max_auth_requests_per_ip_per_sec = 100000
max_subscriptions_per_user = 1000
[security.cors]
allowed_origins = ["*"]
[retention]
enable_dba_stats = false
[cluster]
user_shards = 1
shared_shards = 1
[rpc_tls]
enabled = true
ca_cert = "{{.Dir}}/ca.pem"
server_cert = "{{.Dir}}/node.pem"
server_key = "{{.Dir}}/node.key"
`

// New returns a target of KalamDB. Its nodes need hosts: see package hosts.
func New(o Options) target.Target { return kalam{o} }

type kalam struct{ Options }

// Boot boots a cluster with certificates of its own.
func (k kalam) Boot(ctx context.Context, size int) (target.Cluster, error) {
	files, err := certificates()
	if err != nil {
		return nil, fmt.Errorf("boot kalamdb: make certificates: %w", err)
	}
	return k.over(files).Boot(ctx, size)
}

// Foretell tells what clusters cannot do.
func (k kalam) Foretell() target.Cluster {
	return k.over(map[string]string{}).(target.Foreteller).Foretell()
}

func (k kalam) over(files map[string]string) target.Target {
	files["server.toml"] = config
	return proc.New(proc.Database{
		Name:  "kalamdb",
		Vars:  map[string]string{"binary": k.Binary},
		Files: files,
		Programs: []proc.Program{{
			Path: "{{.Vars.binary}}", Args: []string{"{{.Dir}}/server.toml"}, Signal: os.Interrupt, // SIGTERM ends HTTP only
			Env: []string{
				"KALAMDB_SERVER_HOST={{.Host}}", "KALAMDB_SERVER_PORT=" + apiPort, "KALAMDB_DATA_DIR={{.Dir}}/data", "KALAMDB_LOGS_DIR={{.Dir}}/logs",
				"KALAMDB_CLUSTER_ID=rejoin", "KALAMDB_NODE_ID={{add .Index 1}}", "KALAMDB_CLUSTER_RPC_ADDR={{.Host}}:" + rpcPort,
				"KALAMDB_CLUSTER_API_ADDR={{.Host}}:" + apiPort, "KALAMDB_ROOT_PASSWORD=" + secret, "KALAMDB_JWT_SECRET=" + secret,
				`KALAMDB_CLUSTER_PEERS={{join .Others "{{add .Index 1}}@{{.Host}}:` + rpcPort + `@{{.Host}}:` + apiPort + `@` + common + `" ";"}}`,
			},
		}},
		Address: "{{.Host}}:" + apiPort,
		SQL: func(n *proc.Node) (target.SQL, error) {
			return sqldb.NewBatch(sqldb.Options{Node: n.Name(), Dialect: words(), Judge: judge}, (&client{node: n}).send, nil), nil
		},
		Formed:   formed,
		Status:   status,
		Declares: []target.Assumption{target.Namespaces},
		Claims: []target.Claim{
			{Promise: target.Durability, Made: true, Source: replication + "Replication modes: a quorum, by default"},
			{Promise: target.CrashDurability, Source: replication + "Current limitation: the log is in memory"},
		},
	}, proc.Options{})
}

// groups is a query for a node's own view of its Raft groups. It is not passed on.
const groups = "SELECT group_type, current_term, last_applied, current_leader FROM system.cluster_groups LIMIT 100"

// status asks a node for its view. The index that it has applied is the sum of those of its groups, and its leader is the one of the
// group that holds the rows of users.
func status(ctx context.Context, n *proc.Node) (target.Status, error) {
	s := target.Status{State: target.Connecting, Role: "follower", Voter: true, LastContact: -1}
	rows, err := (&client{node: n}).ask(ctx, groups)
	if err != nil {
		return s, err
	}
	for _, row := range rows {
		s.AppliedIndex += whole(row[2])
		if !strings.Contains(strings.ToLower(fmt.Sprint(row[0])), "user") {
			continue
		}
		s.Term = whole(row[1])
		if leader := whole(row[3]); leader > 0 {
			s.Leader, s.State = fmt.Sprintf("n%d", leader-1), target.Online
		}
	}
	s.CommitIndex = s.AppliedIndex
	if s.Leader == n.Name() {
		s.Role, s.LedTerms = "leader", []uint64{s.Term}
	}
	return s, nil
}

func whole(v any) uint64 {
	n, _ := v.(int64)
	return uint64(n)
}

// formed waits until each node knows all nodes, and a leader of each group.
func formed(ctx context.Context, nodes []*proc.Node) error {
	return proc.Until(ctx, func(ctx context.Context) error {
		for _, n := range nodes {
			c := &client{node: n}
			members, err := c.ask(ctx, "SELECT node_id FROM system.cluster LIMIT 100")
			if err != nil {
				return err
			}
			led, err := c.ask(ctx, groups)
			if err != nil {
				return err
			}
			for _, group := range led {
				if whole(group[3]) == 0 || len(members) != len(nodes) {
					return fmt.Errorf("node %s knows %d of %d nodes, leader %v of its group %v", n.Name(), len(members), len(nodes), group[3], group[0])
				}
			}
		}
		return nil
	})
}
