package speak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/httpsql"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// Database is a described database. It is safe for concurrent use.
type Database struct {
	about   described.Target
	api     *httpsql.API
	dialect dialect.Dialect
	dsn     *template.Template // nil without a driver
	setup   []string
	asking  *asking
}

// New parses a description.
func New(about described.Target) (d *Database, err error) {
	d = &Database{about: about}
	shape := described.HTTP{Write: described.Call{Path: "/"}} // for the calls of Status
	if about.HTTP != nil {
		shape = *about.HTTP
	}
	if d.api, err = httpsql.NewAPI(shape); err != nil {
		return nil, err
	}
	if about.Driver != nil {
		if d.dsn, err = described.Template(about.Driver.DSN, described.Encoding{}); err != nil {
			return nil, fmt.Errorf("driver: dsn: %w", err)
		}
	}
	switch about.Dialect {
	case "", "plain":
	case "prefixes":
		d.dialect, d.setup = dialect.Prefixes{}, dialect.Prefixes{}.Setup()
	default:
		family := map[string]func() *dialect.Family{
			"postgresql": dialect.PostgreSQL, "mysql": dialect.MySQL, "mariadb": dialect.MariaDB}[about.Dialect]
		if family == nil {
			return nil, fmt.Errorf("dialect %q is unknown", about.Dialect)
		}
		d.dialect, d.setup = family(), family().Setup
	}
	d.setup = append(d.setup[:len(d.setup):len(d.setup)], about.Setup...)
	d.asking, err = newAsking(about.Status)
	return d, err
}

// SQL executes statements at one endpoint of a node.
type SQL interface {
	target.SQL
	io.Closer
}

// Connect returns a connection to a node at an address, whose connections dial makes; nil dials over TCP. It contacts
// nothing. The caller closes it.
func (d *Database) Connect(node described.Node, address string, dial httpsql.Dial) (SQL, error) {
	return d.connect(node, address, dial, d.dialect)
}

func (d *Database) connect(node described.Node, address string, dial httpsql.Dial, in dialect.Dialect) (SQL, error) {
	if d.dsn != nil {
		return d.open(node, address, dial, in)
	}
	client := d.api.New(node, address, dial)
	if in == nil {
		return client, nil
	}
	return translated{sqldb.NewBatch(sqldb.Options{Node: node.Name, Dialect: in, Timeout: longest}, client.Send, nil), client}, nil
}

// longest bounds a request whose context has no earlier end.
const longest = time.Minute

// translated is a client behind a dialect.
type translated struct {
	*sqldb.Batch
	io.Closer
}

// Caller returns a client for the HTTP calls of Status.
func (d *Database) Caller(node described.Node, address string, dial httpsql.Dial) *httpsql.Client {
	return d.api.New(node, address, dial)
}

// Place is an endpoint of a node.
type Place struct {
	Node    described.Node
	Address string
	Dial    httpsql.Dial // nil dials over TCP
}

// SetUp executes the statements that prepare the database, as they are, at one of the places. It tries one place after the
// other until the statement is done or ctx ends.
func (d *Database) SetUp(ctx context.Context, places []Place) (err error) {
	if len(d.setup) == 0 {
		return nil
	}
	var nodes []target.SQL
	for _, p := range places {
		node, failed := d.connect(p.Node, p.Address, p.Dial, nil)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, node.Close()) }()
		nodes = append(nodes, node)
	}
	for _, sql := range d.setup {
		if err := once(ctx, sql, nodes); err != nil {
			return fmt.Errorf("set up: %s: %w", sql, err)
		}
	}
	return nil
}

// setupPause is between two tries of a statement.
const setupPause = 20 * time.Millisecond

func once(ctx context.Context, sql string, nodes []target.SQL) error {
	poll := time.NewTicker(setupPause)
	defer poll.Stop()
	for {
		var errs []error
		for _, node := range nodes {
			rows, err := node.Query(ctx, target.Request{SQL: sql})
			if err == nil {
				for rows.NextResult() {
				}
				err = errors.Join(rows.Err(), rows.Close())
			}
			if err == nil {
				return nil
			}
			errs = append(errs, err)
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return errors.Join(append([]error{context.Cause(ctx)}, errs...)...)
		}
	}
}

// judge reads an error of a driver by the rules.
func (d *Database) judge(err error) sqldb.Verdict {
	v := sqldb.Verdict{}
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		v = sqldb.SQLState(state.SQLState())
	}
	for _, rule := range d.about.Driver.Rules {
		if (rule.Code == "" || rule.Code == v.Code) && strings.Contains(err.Error(), rule.Contains) {
			v.Outcome, v.Kind, v.Temporary = described.Outcomes()[rule.Outcome], described.Kinds()[rule.Kind], rule.Temporary
			return v
		}
	}
	return v
}
