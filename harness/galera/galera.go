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
	"slices"

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
	// Kept is proc.Options.Kept, for these settings alone.
	Kept string
	// LostUpdates turns innodb_snapshot_isolation off, which is the default of MariaDB before 11.6.
	LostUpdates bool
	// StaleReads leaves wsrep_sync_wait at its default, 0: a read does not wait for what other nodes have acknowledged. It is
	// 1 else.
	StaleReads bool
	// LazyFlush sets innodb_flush_log_at_trx_commit to 0: a commit is on disk after a second. It is 1 else.
	LazyFlush bool
	// Prepared has the driver prepare statements that have parameters. It writes them into the text else, because of a finding:
	// see README.md.
	Prepared bool
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
			"provider": provider, "snapshot": number(!o.LostUpdates), "flush": number(!o.LazyFlush),
			"recover": number(!o.Unrecovered),
		},
		Alike: true,
		Files: map[string]string{"my.cnf": configFile, "node.sh": nodeFile, "setup.sql": setup, "run/said": "starts\n"},
		Prepare: []proc.Program{
			{Path: "install", Args: []string{"-d", "-o", "mysql", "-m", "700", "{{.Dir}}/data", "{{.Dir}}/run"}},
			{Path: "{{if .Bootstrap}}mariadb-install-db{{else}}true{{end}}", Args: []string{ // the others get all from the first
				"--defaults-file={{.Dir}}/my.cnf", "--extra-file={{.Dir}}/setup.sql", "--auth-root-authentication-method=normal", "--skip-test-db",
			}},
		},
		Programs: []proc.Program{
			{Path: "socat", Args: []string{"TCP-LISTEN:" + answers + ",bind={{.Host}},reuseaddr,fork", "EXEC:sh {{.Dir}}/node.sh answer"}},
			{Path: "sh", Args: []string{"{{.Dir}}/node.sh", "run"}},
		},
		Address: "{{.Host}}:3306",
		SQL:     o.open,
		Status:  status,
		Ready:   ready,
		Formed:  formed,
		Members: &proc.Members{Join: joined, Leave: leave},
		Remembered: func(ctx context.Context, _ *proc.Node, inside target.SQL) (map[string]bool, error) {
			return dedupe.MySQL().Remembered(ctx, inside)
		},
		Declares: []target.Assumption{target.Namespaces, target.KeepsAnswers, target.OwnWrites},
		Digest:   digest,
		Claims:   o.claims(),
		Alarms:   &target.Alarms{Words: []string{"mysqld got signal", "Inconsistent by consensus", "Assertion"}},
	}, proc.Options{Kept: o.Kept})
}

//go:embed my.cnf
var configFile string

//go:embed node.sh
var nodeFile string

// setup makes the database in which the kit has its functions, and the user of the tests.
const setup = `CREATE DATABASE rejoin CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
FLUSH PRIVILEGES;
CREATE USER rejoin@'%';
GRANT ALL ON *.* TO rejoin@'%' WITH GRANT OPTION;
`

// Reset drops everything that users have made, and all remembered requests: see lasting.Options.
func Reset(ctx context.Context, c target.Cluster) error {
	return proc.Until(ctx, func(ctx context.Context) error {
		db := c.Nodes()[0].Client().(*node)
		made, err := db.Ask(ctx, drops)
		if err != nil {
			return err
		}
		statements := []string{"SET foreign_key_checks = 0"}
		for _, row := range made {
			statements = append(statements, fmt.Sprint(row[0]))
		}
		return db.Execute(ctx, append(append(statements, "SET foreign_key_checks = 1"), prepared()...)...)
	})
}

// drops has the statements that drop what was made since the disks were prepared, and the table of requests.
const drops = `SELECT concat('DROP DATABASE "', schema_name, '"') FROM information_schema.schemata
		WHERE schema_name NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema', 'rejoin')
	UNION ALL SELECT concat('DROP ', if(table_type = 'VIEW', 'VIEW', 'TABLE'), ' "', table_name, '"') FROM information_schema.tables
		WHERE table_schema = 'rejoin' AND table_name <> 'sqlite_schema'`

// prepared are the statements that make what the kit needs, where it is missing.
func prepared() []string {
	return append(slices.Clone(dialect.MariaDB().Setup), dedupe.MySQL().Setup())
}

// node is the SQL of a node: local reads have connections that wait for no other node, and answer without a primary component.
type node struct {
	*sqldb.DB
	own *sqldb.DB
}

func (n *node) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	if request.Consistency == target.Local {
		return n.own.Query(ctx, request)
	}
	rows, err := n.DB.Query(ctx, request)
	return rows, n.waited(ctx, err)
}

// waited is the error of a request which says why it waited too long: without a primary component it waits for that.
func (n *node) waited(ctx context.Context, err error) error {
	failed := (*target.Error)(nil)
	if !errors.As(err, &failed) || failed.Code != lockTimeout {
		return err
	}
	failed.Kind = target.ErrTimeout
	if said, asked := n.own.Ask(ctx, "SHOW STATUS LIKE 'wsrep_cluster_status'"); asked == nil && len(said) == 1 && said[0][1] != "Primary" {
		failed.Kind = target.ErrNoLeader
	}
	return err
}

// Close closes all connections.
func (n *node) Close() error { return errors.Join(n.DB.Close(), n.own.Close()) }

func (o Options) open(n *proc.Node) (target.SQL, error) {
	waits := "1"
	if o.StaleReads {
		waits = "0"
	}
	db, err := o.connect(n, map[string]string{"wsrep_sync_wait": waits})
	if err != nil {
		return nil, err
	}
	own, err := o.connect(n, map[string]string{"wsrep_sync_wait": "0", "wsrep_dirty_reads": "1"})
	return &node{db, own}, err
}

// connect makes a pool of connections to a node, with settings of their own.
func (o Options) connect(n *proc.Node, settings map[string]string) (*sqldb.DB, error) {
	config := mysql.NewConfig()
	config.User, config.Net, config.Addr, config.DBName = "rejoin", "tcp", n.Address(), "rejoin"
	config.DialFunc, config.ClientFoundRows, config.MaxAllowedPacket = n.Dial, true, 64<<20
	config.InterpolateParams = !o.Prepared
	config.Params = settings
	config.Params["sql_mode"] = "'" + dialect.MySQLMode + "'"
	config.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("node %s: configure its driver: %w", n.Name(), err)
	}
	repeatable := target.Snapshot
	if o.LostUpdates {
		repeatable = target.RepeatableRead
	}
	level := func(name string) []string { return []string{"SET TRANSACTION ISOLATION LEVEL " + name, "BEGIN"} }
	return sqldb.New(sql.OpenDB(connector), sqldb.Options{
		Node: n.Name(), Dialect: dialect.MariaDB(), Judge: judge, JudgeSchema: judgeSchema, Once: dedupe.MySQL(),
		Levels: map[target.Isolation][]string{
			target.ReadUncommitted: level("READ UNCOMMITTED"), target.ReadCommitted: level("READ COMMITTED"),
			repeatable: level("REPEATABLE READ"),
		},
	}), nil
}
