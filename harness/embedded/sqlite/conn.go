package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
)

// Mode is the purpose of a connection.
type Mode int

const (
	// Writer changes the database. There is at most one per database.
	Writer Mode = iota
	// Reader sees committed transactions only and changes nothing.
	Reader
	// Plain is a Writer of a file without concurrent readers, such as a copy.
	Plain
)

// Limits set in SQLite (https://sqlite.org/limits.html). A value may be a little longer than a
// request, so that everything a request contains can be stored.
const (
	maxLength    = 20 << 20 // bytes, of a value, a row and a statement
	maxProgram   = 1 << 20  // operations of a statement's program, 24 bytes each
	maxArguments = 127      // of a function
)

// Conn is one connection. It is not safe for concurrent use.
type Conn struct {
	raw      *sqlite3.SQLiteConn
	path     string
	env      *environment
	auth     authorizer
	mode     Mode
	onDamage func(error) error
	reported bool // damage was reported
	cached   Cost // upper bound of the compile cost saved by SQLite's schema cache
}

const walSuffix = "-wal"

// walLimit is the size to which the write-ahead log is truncated when it is reused, in bytes.
const walLimit = 16 << 20

// Open opens the database in the file path. A Writer or Plain connection creates it if it is
// missing. The file is a working copy that is rebuilt after a crash, so nothing is synced, and
// files left by a crash are rejected.
//
// Every page has a checksum. Reading a page with a wrong checksum is an error for which Damaged
// returns true. In a file without checksums the first page is damaged.
//
// The begin statements run first, with the database's own privileges.
func Open(path string, mode Mode, begin ...string) (*Conn, error) {
	if err := fixedZone(); err != nil {
		return nil, err
	}
	env, err := newEnvironment()
	if err != nil {
		return nil, err
	}
	query := url.Values{"vfs": {env.vfs()}, "_mutex": {"no"}, "_synchronous": {"OFF"}, "_foreign_keys": {"ON"}, "_stmt_cache_size": {"16"}}
	if mode == Reader {
		query.Set("_query_only", "ON")
	}
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String()

	raw, err := (&sqlite3.SQLiteDriver{}).Open(dsn)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
		if damage := env.damage(path); damage != nil {
			err = damage
		}
		env.close()
		return nil, fmt.Errorf("open SQLite database: %w", err)
	}
	c := &Conn{raw: raw.(*sqlite3.SQLiteConn), path: path, env: env, mode: mode}
	c.auth.reads = mode == Reader
	if err := c.prepare(begin); err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite database: %w", err), c.Close())
	}
	return c, nil
}

func (c *Conn) prepare(begin []string) error {
	if err := c.env.watch(c.raw, c.mode); err != nil {
		return err
	}
	if err := c.create(); err != nil {
		return err
	}
	// A cgo call blocks its thread and, in virtual time, the clock. So a locked database is an
	// error at once.
	// Temporary data stays in memory, so that all files are next to the database.
	// A log that grew during a long read is truncated when it is reused.
	if err := c.Trusted(fmt.Sprintf("PRAGMA busy_timeout = 0; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = %d",
		walLimit)); err != nil {
		return err
	}
	if err := c.refuseFunctions(); err != nil {
		return err
	}
	c.raw.SetLimit(sqlite3.SQLITE_LIMIT_LENGTH, maxLength)
	c.raw.SetLimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, maxLength)
	c.raw.SetLimit(sqlite3.SQLITE_LIMIT_VDBE_OP, maxProgram)
	c.raw.SetLimit(sqlite3.SQLITE_LIMIT_FUNCTION_ARG, maxArguments)
	// Before the authorizer is set, which SQLite would call for each of their columns.
	for _, sql := range begin {
		if err := c.Trusted(sql); err != nil {
			return err
		}
	}
	c.raw.RegisterAuthorizer(c.auth.authorize)
	return nil
}

// create sets the page size and journal mode of a new database.
func (c *Conn) create() error {
	if c.mode == Reader {
		return nil
	}
	if err := c.env.reserve(); err != nil {
		return err
	}
	journal := "WAL"
	if c.mode == Plain {
		journal = "OFF"
	}
	return c.Trusted(fmt.Sprintf("PRAGMA page_size = %d; PRAGMA journal_mode = %s", pageSize, journal))
}

// OnDamage sets a function that is called with every error for which Damaged returns true. The
// error it returns is reported instead. It is called on the goroutine that uses the connection.
func (c *Conn) OnDamage(tell func(error) error) { c.onDamage = tell }

// Close closes the connection. Its Rows must be closed before. Close may be called more than
// once.
func (c *Conn) Close() error {
	if c.env == nil {
		return nil
	}
	err := c.raw.Close()
	c.env.close()
	c.env = nil
	return err
}

// SetNow sets the current time for the following statements, in milliseconds precision.
func (c *Conn) SetNow(t time.Time) { c.env.setNow(t) }

// SetRandom sets the seed of random() and randomblob().
func (c *Conn) SetRandom(a, b uint64) { c.env.setRandom(a, b) }

// Begin begins a request and sets the limits of all following statements together: steps, and
// bytes of memory held at any time. 0 means no limit.
//
// A step is one instruction of SQLite's virtual machine. Compiling a statement, allocating memory
// and processing long values cost steps too. Trusted and Lookup cost nothing.
//
// The cost of a request depends little on the node: not on its page cache, cached statements or
// clock. After Fresh at the start of a transaction it is exactly the same on every node. Without
// Fresh it differs by less than a quarter of the limits: if a request uses less than half of a
// limit on one node, it exceeds the limit on none.
func (c *Conn) Begin(steps, memory int64) error {
	if steps == 0 {
		steps = unlimited
	}
	if memory == 0 {
		memory = unlimited
	}
	if err := c.limitCached(steps, memory); err != nil {
		return err
	}
	c.env.begin(steps, memory)
	return nil
}

// End ends the current request and returns its cost.
func (c *Conn) End() Cost {
	cost := c.env.cost()
	c.env.begin(unlimited, unlimited)
	return cost
}

// Cost is the cost of the statements of a request.
type Cost struct {
	Steps  int64
	Memory int64 // maximum held at any time, in bytes
}

// Interrupt ends the current statement and all later ones with ErrInterrupted. Unlike the other
// methods it is safe to call from any goroutine, but not after Close.
func (c *Conn) Interrupt() { c.env.requestStop() }

// Trusted runs statements with the database's own privileges, without the authorizer, and
// discards their rows.
func (c *Conn) Trusted(sql string, params ...any) error {
	c.auth.trust()
	defer c.auth.distrust()
	_, err := c.raw.Exec(sql, values(params))
	return c.explainOwn(err)
}

// Lookup runs one statement with the database's own privileges, without the authorizer. It
// returns the first value of the first row, or nil if there is none. The compiled statement is
// cached.
func (c *Conn) Lookup(sql string, params ...any) (value any, err error) {
	c.auth.trust()
	defer c.auth.distrust()
	rows, err := c.raw.Query(sql, values(params))
	if err != nil {
		return nil, c.explainOwn(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	switch err := rows.Next(row); {
	case err == io.EOF || len(row) == 0:
		return nil, nil
	case err != nil:
		return nil, c.explainOwn(err)
	}
	return row[0], nil
}

// InTransaction returns whether a transaction is open. A failing statement such as INSERT OR
// ROLLBACK may have ended it.
func (c *Conn) InTransaction() bool { return !c.raw.AutoCommit() }

// Changes returns the number of rows changed by the latest INSERT, UPDATE or DELETE, without
// triggers and foreign key actions.
func (c *Conn) Changes() int64 { return c.env.changes() }

// DeferredViolations returns whether the transaction has foreign key violations that SQLite would
// report only at commit.
func (c *Conn) DeferredViolations() bool { return c.env.deferredViolations() }

// explain converts the driver's error to one that says what was refused, exceeded or damaged.
// SQLite does not report damage found by a checkpoint: explain returns it once.
func (c *Conn) explain(err error) error {
	if e, ok := errors.AsType[sqlite3.Error](err); ok && !c.env.damaged() && c.auth.reason == "" {
		if why := c.exceeded(e); why != nil {
			return why
		}
	}
	return c.explainOwn(err)
}

// explainOwn is explain for the database's own statements, which have no limits.
func (c *Conn) explainOwn(err error) error {
	if damage := c.env.damage(c.path); damage != nil && (err != nil || !c.reported) {
		c.reported = true
		return c.damaged(damage)
	}
	if err == nil || err == io.EOF {
		return err
	}
	if _, ok := errors.AsType[sqlite3.Error](err); ok && c.auth.reason != "" {
		return refusedError(c.auth.reason)
	}
	return c.classify(err)
}

// exceeded returns the limit that ended a request, or nil.
func (c *Conn) exceeded(e sqlite3.Error) error {
	memory := primary(e) == sqlite3.ErrNomem
	switch {
	case memory && c.env.exhausted():
		return nil
	case c.env.stopping() && (memory || e.Code == sqlite3.ErrInterrupt):
		return ErrInterrupted
	case Environmental(e) && !memory:
		return nil
	case c.env.over():
		return ErrMemory
	case c.env.spent():
		return ErrBudget
	case memory:
		return ErrTooLarge // SQLite reports a program over its limit as out of memory
	}
	return nil
}

// classify separates errors of the statement from errors of the environment.
func (c *Conn) classify(err error) error {
	if c.outOfRowids(err) {
		return refusedError(noRowidLeft)
	}
	return c.inFile(err)
}

// inFile adds the file name to an error of the environment.
func (c *Conn) inFile(err error) error {
	switch {
	case Damaged(err):
		return c.damaged(fmt.Errorf("%s: %w", c.path, err))
	case Environmental(err):
		return fmt.Errorf("%s: %w", c.path, err)
	}
	return err
}

func (c *Conn) damaged(err error) error {
	if c.onDamage == nil {
		return err
	}
	return c.onDamage(err)
}

// Copy copies the whole database of from into this one by SQLite's online backup
// (https://sqlite.org/backup.html), as one transaction. Readers of this database see either the
// old or the new content. If from has a transaction open, its snapshot is copied, even while
// others write. Copy blocks until it is done; it checks ctx every 1024 pages.
func (c *Conn) Copy(ctx context.Context, from *Conn) error {
	err := c.backup(ctx, from)
	switch theirs, ours := from.env.damage(from.path), c.env.damage(c.path); {
	case theirs != nil:
		err = from.damaged(theirs)
	case ours != nil:
		err = c.damaged(ours)
	default:
		err = from.inFile(err)
	}
	if err != nil {
		return fmt.Errorf("copy SQLite database: %w", err)
	}
	return nil
}

func (c *Conn) backup(ctx context.Context, from *Conn) (err error) {
	backup, err := c.raw.Backup("main", from.raw, "main")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backup.Close()) }()
	const pages = 1024
	for left := -1; ; left = backup.Remaining() {
		done, err := backup.Step(pages)
		if err != nil || done {
			return err
		}
		if backup.Remaining() == left {
			return errors.New("one of the databases is locked")
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// isVacuum recognises the one statement that SQLite runs without asking the authorizer first. It
// only improves the error text: in a transaction, or with the authorizer, VACUUM would fail in
// any case.
func isVacuum(sql string) bool {
	const word = "vacuum"
	return len(sql) >= len(word) && strings.EqualFold(sql[:len(word)], word)
}
