// Package galera is MariaDB with Galera as a target: see README.md.
//
// A node is a host with two programs: MariaDB, which node.sh starts as an operator would, and a socat that tells the other
// nodes what this one does. Every node takes changes. Galera has no leader: the status of a node names the first member of its
// primary component, so that specs have a node to lose.
package galera

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/go-sql-driver/mysql"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dedupe"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/proc"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// Options are the settings of the target. The zero Options are the settings that the makers document as the safest.
type Options struct {
	// Disk is a folder that Prepare has made. It is needed.
	Disk string
	// LostUpdates turns innodb_snapshot_isolation off, which is the default of MariaDB before 11.6.
	LostUpdates bool
	// StaleReads leaves wsrep_sync_wait at its default, 0: a read does not wait for what other nodes have acknowledged. It is
	// 1 else.
	StaleReads bool
	// LazyFlush sets innodb_flush_log_at_trx_commit to 0: a commit is on disk after a second. It is 1 else.
	LazyFlush bool
	// Unrecovered starts a node that has crashed without the position that its InnoDB has.
	Unrecovered bool
}

// provider is where Debian installs Galera.
const provider = "/usr/lib/galera/libgalera_smm.so"

// Supported returns nil where the target can run, and else one sentence with the remedy.
func Supported() error {
	if os.Geteuid() != 0 {
		return errors.New("MariaDB runs under a user of its own here, which needs root: run the tests as root")
	}
	_, err := os.Stat(provider)
	for _, program := range []string{"mariadbd", "mariadb", "mariadb-install-db", "rsync", "socat"} {
		if err == nil {
			_, err = exec.LookPath(program)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: install it by apt-get install mariadb-server galera-4 rsync socat", err)
	}
	return hosts.Supported()
}

// New returns a target.
func New(o Options) target.Target {
	number := func(on bool) string { return map[bool]string{true: "1", false: "0"}[on] }
	return proc.New(proc.Database{
		Name: "galera",
		Vars: map[string]string{
			"disk": o.Disk, "provider": provider, "snapshot": number(!o.LostUpdates), "flush": number(!o.LazyFlush),
			"recover": number(!o.Unrecovered),
		},
		Files:   map[string]string{"my.cnf": configFile, "node.sh": nodeFile, "run/said": "starts\n"},
		Disk:    "{{if not .Joining}}{{.Vars.disk}}{{end}}",
		Prepare: []proc.Program{{Path: "install", Args: []string{"-d", "-o", "mysql", "-m", "700", "{{.Dir}}/data", "{{.Dir}}/run"}}},
		Programs: []proc.Program{
			{Path: "socat", Args: []string{"TCP-LISTEN:" + answers + ",bind={{.Host}},reuseaddr,fork", "EXEC:sh {{.Dir}}/node.sh answer"}},
			{Path: "sh", Args: []string{"{{.Dir}}/node.sh", "run"}},
		},
		Address: "{{.Host}}:3306",
		SQL:     o.open,
		Status:  status,
		Ready:   ready,
		Formed:  formed,
		Members: &proc.Members{Join: joined, Leave: func(context.Context, *proc.Node, *proc.Node) error { return nil }},
		Remembered: func(ctx context.Context, _ *proc.Node, inside target.SQL) (map[string]bool, error) {
			return dedupe.MySQL().Remembered(ctx, inside)
		},
		Declares: []target.Assumption{target.Namespaces, target.KeepsAnswers, target.OwnWrites},
		Claims:   o.claims(),
		Alarms:   &target.Alarms{Words: []string{"mysqld got signal", "Inconsistent by consensus", "Assertion"}},
	}, proc.Options{})
}

//go:embed my.cnf
var configFile string

//go:embed node.sh
var nodeFile string

// open makes the connections to a node.
func (o Options) open(n *proc.Node) (target.SQL, error) {
	config := mysql.NewConfig()
	config.User, config.Net, config.Addr, config.DBName = "rejoin", "tcp", n.Address(), "rejoin"
	config.DialFunc, config.ClientFoundRows, config.MaxAllowedPacket = n.Dial, true, 64<<20
	config.Params = map[string]string{"sql_mode": "'" + dialect.MySQLMode + "'"}
	config.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("node %s: configure its driver: %w", n.Name(), err)
	}
	waits := "SET SESSION wsrep_dirty_reads = 0, wsrep_sync_wait = 1"
	if o.StaleReads {
		waits = "SET SESSION wsrep_dirty_reads = 0, wsrep_sync_wait = 0"
	}
	repeatable := target.Snapshot
	if o.LostUpdates {
		repeatable = target.RepeatableRead
	}
	level := func(name string) []string { return []string{"SET TRANSACTION ISOLATION LEVEL " + name, "BEGIN"} }
	return sqldb.New(sql.OpenDB(connector), sqldb.Options{
		Node: n.Name(), Dialect: dialect.MariaDB(), Judge: judge, Once: dedupe.MySQL(),
		Prepare: map[target.Consistency][]string{
			target.Local:   {"SET SESSION wsrep_dirty_reads = 1, wsrep_sync_wait = 0"},
			target.Default: {waits}, target.Leader: {waits}, target.Strong: {waits},
		},
		Levels: map[target.Isolation][]string{
			target.ReadUncommitted: level("READ UNCOMMITTED"), target.ReadCommitted: level("READ COMMITTED"),
			repeatable: level("REPEATABLE READ"),
		},
	}), nil
}
