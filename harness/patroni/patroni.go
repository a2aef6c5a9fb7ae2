// Package patroni is PostgreSQL 15 with Patroni and etcd as a target: see README.md.
//
// A node is a host with four programs: etcd, Patroni, the PostgreSQL that Patroni runs, and HAProxy, which leads the clients of
// the node to the primary. Local reads reach the PostgreSQL of the node itself.
package patroni

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dedupe"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/proc"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// Mode is how many nodes have a commit when PostgreSQL acknowledges it.
type Mode int

const (
	Asynchronous Mode = iota // Patroni's default: the primary alone
	Synchronous              // synchronous_mode: a standby too, while there is one
	Strict                   // synchronous_mode_strict: a standby too, always
)

// ModeOf returns the mode of that name: asynchronous, synchronous or strict. No name is synchronous.
func ModeOf(name string) (Mode, error) {
	switch name {
	case "asynchronous":
		return Asynchronous, nil
	case "", "synchronous":
		return Synchronous, nil
	case "strict":
		return Strict, nil
	}
	return 0, fmt.Errorf("there is no mode %q of Patroni: it is asynchronous, synchronous or strict", name)
}

// Options are the settings of the target. The zero Options are valid.
type Options struct {
	Mode Mode
	// Etcd2 has Patroni speak the second version of etcd's API. There a node renews the leader key only if it still has its own name:
	// the third version of Patroni 3.0.2 does not compare, so that a former primary takes the key from its successor (see README.md).
	Etcd2 bool
	// Kept is proc.Options.Kept, for these settings alone.
	Kept string
}

// programs is where Debian installs PostgreSQL 15.
const programs = "/usr/lib/postgresql/15/bin"

// Supported returns nil where the target can run, and else one sentence with the remedy.
func Supported() error {
	if os.Geteuid() != 0 {
		return errors.New("PostgreSQL runs under a user of its own here, which needs root: run the tests as root")
	}
	for _, program := range []string{"etcd", "patroni", "haproxy", "setpriv", programs + "/postgres"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%w: install it by apt-get install postgresql-15 patroni etcd-server haproxy", err)
		}
	}
	return hosts.Supported()
}

// New returns a target.
func New(options Options) target.Target {
	mode := options.Mode
	synchronous, strict := strconv.FormatBool(mode != Asynchronous), strconv.FormatBool(mode == Strict)
	etcd := "etcd3"
	if options.Etcd2 {
		etcd = "etcd"
	}
	return proc.New(proc.Database{
		Name:    "patroni",
		Vars:    map[string]string{"postgresql": programs, "synchronous": synchronous, "strict": strict, "etcd": etcd},
		Files:   map[string]string{"patroni.yml": patroniFile, "haproxy.cfg": haproxyFile},
		Prepare: []proc.Program{{Path: "install", Args: []string{"-d", "-o", "postgres", "-m", "700", "{{.Dir}}/run"}}},
		Programs: []proc.Program{
			{
				Path: "etcd",
				Args: []string{
					"--name={{.Name}}", "--data-dir={{.Dir}}/etcd", "--logger=zap", "--log-level=warn", "--enable-v2",
					"--heartbeat-interval=50", "--election-timeout=500",
					"--listen-client-urls=http://{{.Host}}:2379", "--advertise-client-urls=http://{{.Host}}:2379",
					"--listen-peer-urls=http://{{.Host}}:2380", "--initial-advertise-peer-urls=http://{{.Host}}:2380",
					`--initial-cluster={{join .Nodes "{{.Name}}=http://{{.Host}}:2380" ","}}`,
				},
				Ready: etcdReady,
			},
			{
				Path: "setpriv",
				Args: []string{"--reuid=postgres", "--regid=postgres", "--clear-groups", "/usr/bin/patroni", "{{.Dir}}/patroni.yml"},
				Env:  []string{"LC_ALL=C", "HOME={{.Dir}}/run"}, Dir: "{{.Dir}}/run",
			},
			{Path: "haproxy", Args: []string{"-db", "-f", "{{.Dir}}/haproxy.cfg"}},
		},
		Address: "{{.Host}}:5000",
		SQL: func(n *proc.Node) (target.SQL, error) {
			primary, err := open(n, n.Address(), primaryOnly)
			if err != nil {
				return nil, err
			}
			own, err := open(n, n.Host()+":5432", nil)
			return &client{primary, own}, err
		},
		Status: mode.status,
		Ready:  mode.ready,
		Formed: mode.formed,
		Remembered: func(ctx context.Context, _ *proc.Node, inside target.SQL) (map[string]bool, error) {
			return dedupe.PostgreSQL().Remembered(ctx, inside)
		},
		Declares: []target.Assumption{target.Namespaces, target.KeepsAnswers, target.Streams, target.ShowsStored, target.KeepsTerm},
		Claims:   mode.claims(),
		Alarms:   &target.Alarms{Words: []string{"panic:", "was terminated by signal 11"}, Storage: []string{"PANIC:"}},
	}, proc.Options{Kept: options.Kept})
}

//go:embed patroni.yml
var patroniFile string

//go:embed haproxy.cfg
var haproxyFile string

// client asks the primary by the proxy of the node, and for local reads the node itself.
type client struct {
	*sqldb.DB
	own *sqldb.DB
}

func (c *client) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	if request.Consistency == target.Local {
		return c.own.Query(ctx, request)
	}
	return c.DB.Query(ctx, request)
}

// Close closes the connections to both.
func (c *client) Close() error { return errors.Join(c.DB.Close(), c.own.Close()) }

// errStandby is of a connection that the proxy, which asks Patroni once a second, has led to a standby.
var errStandby = errors.New("the proxy leads to a node that is no primary any longer")

func primaryOnly(ctx context.Context, conn *pgconn.PgConn) error {
	if err := pgconn.ValidateConnectTargetSessionAttrsPrimary(ctx, conn); err != nil {
		return fmt.Errorf("%w: %w", errStandby, err)
	}
	return nil
}

// open makes a pool of connections to an address, of those that are valid.
func open(n *proc.Node, address string, valid pgconn.ValidateConnectFunc) (*sqldb.DB, error) {
	config, err := pgx.ParseConfig("postgres://postgres@" + address + "/postgres?sslmode=disable")
	if err != nil {
		return nil, fmt.Errorf("node %s: read the address of its database: %w", n.Name(), err)
	}
	config.DialFunc, config.ValidateConnect = n.Dial, valid
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec // plans that are kept do not survive a change of the schema
	return sqldb.New(stdlib.OpenDB(*config), sqldb.Options{
		Node: n.Name(), Dialect: dialect.PostgreSQL(), Judge: judge, Once: dedupe.PostgreSQL(), FailsWhole: true,
		Levels: map[target.Isolation][]string{
			target.ReadCommitted: {"BEGIN ISOLATION LEVEL READ COMMITTED"},
			target.Snapshot:      {"BEGIN ISOLATION LEVEL REPEATABLE READ"},
			target.Serializable:  {"BEGIN ISOLATION LEVEL SERIALIZABLE"},
		},
	}), nil
}

// judge reads errors.
func judge(err error) sqldb.Verdict {
	var said *pgconn.PgError
	var connecting *pgconn.ConnectError
	switch {
	case errors.As(err, &said):
		return sqldb.SQLState(said.Code)
	case errors.As(err, &connecting) && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errStandby)): // the proxy has no primary
		return sqldb.Verdict{Code: "NO_PRIMARY", Kind: target.ErrNoLeader, Outcome: target.NotApplied, Temporary: true}
	case pgconn.SafeToRetry(err): // nothing was sent
		return sqldb.Verdict{Code: "CLOSED", Kind: target.ErrUnreachable, Outcome: target.NotApplied, Temporary: true}
	case errors.Is(err, pgconn.ErrConnClosed): // while it waited for the answer
		return sqldb.Verdict{Code: "CLOSED", Kind: target.ErrUnreachable, Temporary: true}
	}
	return sqldb.Verdict{}
}

// errLeaderless is of a node whose etcd runs without a quorum.
var errLeaderless = errors.New("etcd has no leader")

func etcdHealth(ctx context.Context, n *proc.Node) error {
	var said struct{ Health string }
	switch err := n.GetJSON(ctx, ":2379/health", &said); {
	case errors.Is(err, context.DeadlineExceeded): // an etcd that starts listens, and answers once it has found a quorum
		return errors.Join(errLeaderless, err)
	case err != nil:
		return err
	case said.Health == "true":
		return nil
	}
	return errLeaderless
}

// etcdReady waits for a quorum of etcd when the cluster is new: Patroni would sleep for five seconds without it.
func etcdReady(ctx context.Context, n *proc.Node) error {
	if err := etcdHealth(ctx, n); n.View().Forming || !errors.Is(err, errLeaderless) {
		return err
	}
	return nil // the other nodes may be away
}

// ready is nil when PostgreSQL serves reads, or when the node can do nothing without others: Patroni does not start PostgreSQL
// before etcd has a quorum.
func (m Mode) ready(ctx context.Context, n *proc.Node) error {
	said, err := m.status(ctx, n)
	if err != nil || said.State != target.Connecting {
		return err
	}
	if err := etcdHealth(ctx, n); errors.Is(err, errLeaderless) {
		return nil
	}
	return errors.New(said.Reason)
}

// formed waits for a primary and its standbys, and makes what the kit needs.
func (m Mode) formed(ctx context.Context, nodes []*proc.Node) error {
	return proc.Until(ctx, func(ctx context.Context) error {
		for _, n := range nodes {
			if said, err := m.status(ctx, n); err != nil || said.State != target.Online {
				return errors.Join(err, fmt.Errorf("node %s is %s: %s", n.Name(), said.State, said.Reason))
			}
		}
		return nodes[0].Inside().(*client).Execute(ctx, append(dialect.PostgreSQL().Setup, dedupe.PostgreSQL().Setup())...)
	})
}

// Reset drops everything that users have made, and all remembered requests: see lasting.Options.
func Reset(ctx context.Context, c target.Cluster) error {
	statements := slices.Concat([]string{dropAll, "CREATE SCHEMA public"}, dialect.PostgreSQL().Setup, []string{dedupe.PostgreSQL().Setup()})
	return proc.Until(ctx, func(ctx context.Context) error { return c.Nodes()[0].Client().(*client).Execute(ctx, statements...) })
}

const dropAll = `DO $$ DECLARE name text; BEGIN
	FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
		EXECUTE format('DROP SCHEMA %I CASCADE', name);
	END LOOP;
END $$`

// ownView is the state of a node in one row: whether it leads, its timeline, what it has applied, what its leader has, and the
// address of its leader. A log is identified by its timeline, and a position in it by its bytes.
const ownView = `SELECT NOT pg_is_in_recovery(),
	CASE WHEN pg_is_in_recovery() THEN coalesce(r.received_tli, 0)
		ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint END,
	CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_replay_lsn() - '0/0', 0) ELSE pg_current_wal_flush_lsn() - '0/0' END::bigint,
	CASE WHEN pg_is_in_recovery() THEN coalesce(r.latest_end_lsn - '0/0', 0) ELSE pg_current_wal_flush_lsn() - '0/0' END::bigint,
	coalesce(r.sender_host, '')
	FROM (SELECT) one LEFT JOIN pg_stat_wal_receiver r ON r.status = 'streaming'`

// status asks the PostgreSQL of a node. One that does not answer, and a standby that receives nothing, know no leader.
func (m Mode) status(ctx context.Context, n *proc.Node) (target.Status, error) {
	s := target.Status{State: target.Online, Role: "follower", LastContact: -1, Voter: true}
	rows, err := n.Inside().(*client).own.Ask(ctx, ownView)
	if err != nil {
		s.State, s.Reason = target.Connecting, err.Error()
		return s, nil
	}
	row := rows[0]
	s.Term, s.AppliedIndex, s.CommitIndex = uint64(row[1].(int64)), uint64(row[2].(int64)), uint64(row[3].(int64))
	if row[0] == int64(1) {
		s.Role, s.Leader, s.LedTerms = "leader", n.Name(), []uint64{s.Term}
		if err := m.heir(ctx, n); err != nil {
			s.State, s.Reason = target.Connecting, err.Error()
		}
		return s, nil
	}
	if i := slices.IndexFunc(n.View().Nodes, func(p proc.Peer) bool { return p.Host == row[4] }); i >= 0 {
		s.Leader = n.View().Nodes[i].Name
	}
	s.Behind = s.CommitIndex - min(s.CommitIndex, s.AppliedIndex)
	switch {
	case s.Leader == "":
		s.State, s.Reason = target.Connecting, "it receives nothing from a primary"
	case s.Behind > 0:
		s.State = target.Syncing
	}
	return s, nil
}

// heir is nil if another node may follow the primary when it is lost: in synchronous modes that is the synchronous standby.
func (m Mode) heir(ctx context.Context, n *proc.Node) error {
	if m == Asynchronous || len(n.View().Others) == 0 {
		return nil
	}
	type member struct{ Role, State string }
	var said struct{ Members []member }
	if err := n.GetJSON(ctx, ":8008/cluster", &said); err != nil {
		return err
	}
	if !slices.Contains(said.Members, member{"sync_standby", "running"}) {
		return errors.New("it has no synchronous standby")
	}
	return nil
}
