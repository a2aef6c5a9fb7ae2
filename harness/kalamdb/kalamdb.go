// Package kalamdb tests KalamDB, a SQL database over RocksDB and OpenRaft behind an HTTP API, with Rejoin.
//
//	specs.Main(t, kalamdb.New(kalamdb.Options{Binary: "/usr/local/bin/kalamdb-server"}))
//
// Any kalamdb-server binary will do. A node is that program on a host of its own. Clients use its HTTP API, and what a node holds
// itself is read from the snapshot of a WebSocket subscription, since a node passes every SELECT to the leader.
package kalamdb

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/proc"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// Options are the settings of a target.
type Options struct {
	// Binary is the path of kalamdb-server.
	Binary string
	// Autocommit sends a single change as it is. By default it is put between BEGIN and COMMIT: what is not is on the leader only, and lost
	// with it, which is a finding.
	Autocommit bool
}

const (
	apiPort = "8080"
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
host = "{{.Host}}"
port = 8080
[storage]
data_path = "{{.Dir}}/data"
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
cluster_id = "rejoin"
node_id = {{add .Index 1}}
rpc_addr = "127.0.0.1:{{add .Index 9190}}"
api_addr = "127.0.0.1:{{add .Index 9290}}"
user_shards = 1
shared_shards = 1
{{- range .Others}}
[[cluster.peers]]
node_id = {{add .Index 1}}
rpc_addr = "127.0.0.1:{{add .Index 9190}}"
api_addr = "127.0.0.1:{{add .Index 9290}}"
{{- end}}
`

//go:embed haproxy.cfg
var relays string

// Supported returns nil where the target can run, and else one sentence with the remedy.
func Supported() error {
	if _, err := exec.LookPath("haproxy"); err != nil {
		return fmt.Errorf("%w: install it by apt-get install haproxy", err)
	}
	return hosts.Supported()
}

// New returns a target of KalamDB. Its nodes need hosts, and haproxy: see Supported.
func New(o Options) target.Target {
	p := newPass(o)
	return proc.New(proc.Database{
		Name:  "kalamdb",
		Vars:  map[string]string{"binary": o.Binary},
		Files: map[string]string{"server.toml": config, "haproxy.cfg": relays},
		Programs: []proc.Program{
			{Path: "haproxy", Args: []string{"-db", "-f", "{{.Dir}}/haproxy.cfg"}},
			{
				Path: "{{.Vars.binary}}", Args: []string{"{{.Dir}}/server.toml"}, Signal: os.Interrupt, // SIGTERM ends HTTP only
				Env: []string{ // the server needs a whole file, and the fake of the tests reads these
					"KALAMDB_SERVER_HOST={{.Host}}", "KALAMDB_SERVER_PORT=" + apiPort, "KALAMDB_DATA_DIR={{.Dir}}/data",
					"KALAMDB_LOGS_DIR={{.Dir}}/logs", "KALAMDB_CLUSTER_ID=rejoin", "KALAMDB_NODE_ID={{add .Index 1}}",
					"KALAMDB_CLUSTER_RPC_ADDR=127.0.0.1:{{add .Index 9190}}", "KALAMDB_CLUSTER_API_ADDR=127.0.0.1:{{add .Index 9290}}",
					"KALAMDB_ROOT_PASSWORD=" + secret, "KALAMDB_JWT_SECRET=" + secret,
					`KALAMDB_CLUSTER_PEERS={{join .Others "{{add .Index 1}}@127.0.0.1:{{add .Index 9190}}@127.0.0.1:{{add .Index 9290}}" ";"}}`,
				},
			},
		},
		Address: "{{.Host}}:" + apiPort,
		SQL: func(n *proc.Node) (target.SQL, error) {
			return sqldb.NewBatch(sqldb.Options{Node: n.Name(), Dialect: words(), Judge: judge}, (&client{n, p}).send, nil), nil
		},
		Formed:   p.formed,
		Status:   p.status,
		Declares: []target.Assumption{target.Namespaces, target.KeepsTerm},
		Claims: []target.Claim{
			{Promise: target.Durability, Made: true, Source: replication + "Replication modes: a quorum, by default"},
			{Promise: target.CrashDurability, Source: replication + "Current limitation: the log is in memory"},
			{Promise: target.Recency, Source: "KalamDB's documentation does not say how recent a read is"},
		},
	}, proc.Options{})
}

// groups is a query for a node's own view of its Raft groups. It is not passed on.
const groups = "SELECT group_type, current_term, last_applied, current_leader FROM system.cluster_groups LIMIT 100"

// status asks a node for its view. The index that it has applied is the sum of those of its groups, and its leader is the one of the
// group that holds the rows of users.
func (p *pass) status(ctx context.Context, n *proc.Node) (target.Status, error) {
	s := target.Status{State: target.Connecting, Role: "follower", Voter: true, LastContact: -1}
	rows, err := (&client{n, p}).ask(ctx, groups)
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
func (p *pass) formed(ctx context.Context, nodes []*proc.Node) error {
	return proc.Until(ctx, func(ctx context.Context) error {
		for _, n := range nodes {
			c := &client{n, p}
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
