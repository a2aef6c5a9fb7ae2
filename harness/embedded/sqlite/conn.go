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

// Mode is what a connection is for.
type Mode int

const (
	// Writer changes the database. There is one per database.
	Writer Mode = iota
	// Reader sees committed transactions only and changes nothing.
	Reader
	// Plain is a Writer of a file that nobody reads meanwhile: a copy.
	Plain
)

// What SQLite itself refuses (https://sqlite.org/limits.html). A value may be a
// little longer than a request, so that what a request can send can be stored.
const (
	maxLength    = 20 << 20 // bytes, of a value, a row and a statement
	maxProgram   = 1 << 20  // operations of a statement's program, 24 bytes each
	maxArguments = 127      // of a function
)

// Conn is one connection. It is not safe for concurrent use.
type Conn struct {
	raw      *sqlite3.SQLiteConn
	path     string
	around   *surroundings
	guard    guard
	mode     Mode
	onDamage func(error) error
	told     bool // of damage
	kept     Cost // what may be kept in the schema is worth so much
}

const walSuffix = "-wal"

// keptLog is how long the write-ahead log stays when it is used anew, in bytes.
const keptLog = 16 << 20

// Open opens the database in the file path, which a Writer creates if it is
// missing. The file is a working copy that is rebuilt from elsewhere after a
// crash, so nothing is synced, and what a crash left is refused.
//
// Every page has a sum, and a page that does not have its own is an error that
// is Damaged. A file whose pages have none is damaged from its first page on.
//
// What the database is to begin with are statements of its own that are run first.
func Open(path string, mode Mode, begin ...string) (*Conn, error) {
	if err := fixedZone(); err != nil {
		return nil, err
	}
	around, err := newSurroundings()
	if err != nil {
		return nil, err
	}
	query := url.Values{"vfs": {around.vfs()}, "_mutex": {"no"}, "_synchronous": {"OFF"}, "_foreign_keys": {"ON"}, "_stmt_cache_size": {"16"}}
	if mode == Reader {
		query.Set("_query_only", "ON")
	}
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String()

	raw, err := (&sqlite3.SQLiteDriver{}).Open(dsn)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
		if damage := around.damage(path); damage != nil {
			err = damage
		}
		around.close()
		return nil, fmt.Errorf("open SQLite database: %w", err)
	}
	c := &Conn{raw: raw.(*sqlite3.SQLiteConn), path: path, around: around, mode: mode}
	c.guard.reads = mode == Reader
	if err := c.prepare(begin); err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite database: %w", err), c.Close())
	}
	return c, nil
}

func (c *Conn) prepare(begin []string) error {
	if err := c.around.watch(c.raw, c.mode); err != nil {
		return err
	}
	if err := c.create(); err != nil {
		return err
	}
	// A cgo call holds a thread and, in virtual time, time itself: what cannot
	// be had at once is an error.
	// What a statement would spill into a file stays in memory: files are only
	// where the database is.
	// A log that grew while a read kept it from being used anew is made short again.
	if err := c.Trusted(fmt.Sprintf("PRAGMA busy_timeout = 0; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = %d", keptLog)); err != nil {
		return err
	}
	if err := c.refuseFunctions(); err != nil {
		return err
	}
	c.raw.SetLimit(sqlite3.SQLITE_LIMIT_LENGTH, maxLength)
	c.raw.SetLimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, maxLength)
	c.raw.SetLimit(sqlite3.SQLITE_LIMIT_VDBE_OP, maxProgram)
	c.raw.SetLimit(sqlite3.SQLITE_LIMIT_FUNCTION_ARG, maxArguments)
	// Before the authorizer is there, which would be asked about each column of them.
	for _, sql := range begin {
		if err := c.Trusted(sql); err != nil {
			return err
		}
	}
	c.raw.RegisterAuthorizer(c.guard.authorize)
	return nil
}

// create says what the database is to be like, if there is none yet.
func (c *Conn) create() error {
	if c.mode == Reader {
		return nil
	}
	if err := c.around.reserve(); err != nil {
		return err
	}
	journal := "WAL"
	if c.mode == Plain {
		journal = "OFF"
	}
	return c.Trusted(fmt.Sprintf("PRAGMA page_size = %d; PRAGMA journal_mode = %s", pageSize, journal))
}

// OnDamage sets what is told of every error that is Damaged, and gives the
// error to return instead. It may be called from wherever the connection is used.
func (c *Conn) OnDamage(tell func(error) error) { c.onDamage = tell }

// Close closes the connection. Rows of it must be closed before. It is safe to
// call twice.
func (c *Conn) Close() error {
	if c.around == nil {
		return nil
	}
	err := c.raw.Close()
	c.around.close()
	c.around = nil
	return err
}

// SetNow sets what the statements that follow take for the present, to the
// millisecond.
func (c *Conn) SetNow(t time.Time) { c.around.setNow(t) }

// SetRandom sets the seed of random() and randomblob().
func (c *Conn) SetRandom(a, b uint64) { c.around.setRandom(a, b) }

// Begin begins a request: the statements that follow may take so many steps and
// hold so many bytes of memory together; 0 is no limit.
//
// A step is one of SQLite's virtual machine. To compile a statement, to allocate
// memory and to look at long values costs steps, too. Trusted and Lookup cost nothing.
//
// What a request takes hardly depends on the node: not on its page cache, its kept
// statements or its clock. It does not at all after Fresh, at the start of a
// transaction. Without, it differs by less than a quarter of the limits: of two nodes
// whose request takes less than half on one, none is over the limits.
func (c *Conn) Begin(steps, memory int64) error {
	if steps == 0 {
		steps = unlimited
	}
	if memory == 0 {
		memory = unlimited
	}
	if err := c.boundKept(steps, memory); err != nil {
		return err
	}
	c.around.begin(steps, memory)
	return nil
}

// End ends the request begun last, and returns what it took.
func (c *Conn) End() Cost {
	cost := c.around.cost()
	c.around.begin(unlimited, unlimited)
	return cost
}

// Cost is what the statements of a request took.
type Cost struct {
	Steps  int64
	Memory int64 // bytes, the most that were held at once
}

// Interrupt ends the statement under way and every one that follows, with
// ErrInterrupted. Unlike the other methods it may be called from any goroutine, but
// not after Close.
func (c *Conn) Interrupt() { c.around.requestStop() }

// Trusted runs statements of the database's own, past the guard, and ignores
// their rows.
func (c *Conn) Trusted(sql string, params ...any) error {
	c.guard.trust()
	defer c.guard.distrust()
	_, err := c.raw.Exec(sql, values(params))
	return c.explainOwn(err)
}

// Lookup runs one statement of the database's own, past the guard, and returns
// the first value of its first row, or nil if there is none. The statement is
// compiled once and kept.
func (c *Conn) Lookup(sql string, params ...any) (value any, err error) {
	c.guard.trust()
	defer c.guard.distrust()
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

// InTransaction tells whether a transaction is open. An error such as that of
// INSERT OR ROLLBACK may have ended it.
func (c *Conn) InTransaction() bool { return !c.raw.AutoCommit() }

// Changes is the number of rows that the latest INSERT, UPDATE or DELETE
// changed itself, without triggers and foreign-key actions.
func (c *Conn) Changes() int64 { return c.around.changes() }

// DeferredViolations tells whether foreign keys are violated that SQLite would
// only complain of when the transaction commits.
func (c *Conn) DeferredViolations() bool { return c.around.deferredViolations() }

// explain turns the driver's error into one that says what was refused, used up
// or damaged. SQLite does not tell of damage that a checkpoint met: it is an
// error all the same, once.
func (c *Conn) explain(err error) error {
	if e, ok := errors.AsType[sqlite3.Error](err); ok && !c.around.damaged() && c.guard.reason == "" {
		if why := c.tooMuch(e); why != nil {
			return why
		}
	}
	return c.explainOwn(err)
}

// explainOwn explains an error of a statement of the database's own, which has no limits.
func (c *Conn) explainOwn(err error) error {
	if damage := c.around.damage(c.path); damage != nil && (err != nil || !c.told) {
		c.told = true
		return c.damaged(damage)
	}
	if err == nil || err == io.EOF {
		return err
	}
	if _, ok := errors.AsType[sqlite3.Error](err); ok && c.guard.reason != "" {
		return refusedError(c.guard.reason)
	}
	return c.surrounded(err)
}

// tooMuch is why a request was ended that wanted too much, or nil.
func (c *Conn) tooMuch(e sqlite3.Error) error {
	memory := primary(e) == sqlite3.ErrNomem
	switch {
	case memory && c.around.exhausted():
		return nil
	case c.around.stopping() && (memory || e.Code == sqlite3.ErrInterrupt):
		return ErrInterrupted
	case Environmental(e) && !memory:
		return nil
	case c.around.over():
		return ErrMemory
	case c.around.spent():
		return ErrBudget
	case memory:
		return ErrTooLarge // SQLite's own limit of a program says so
	}
	return nil
}

// surrounded tells the errors of a statement from those of the surroundings.
func (c *Conn) surrounded(err error) error {
	if c.outOfRowids(err) {
		return refusedError(noRowidLeft)
	}
	return c.inFile(err)
}

// inFile gives an error of the surroundings the name of the file.
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

// Copy copies the whole database of from into this one by SQLite's online
// backup (https://sqlite.org/backup.html), as one transaction. Readers of this
// database see the old or the new content. If from has a transaction open, its
// view is what is copied, however long others go on writing.
func (c *Conn) Copy(ctx context.Context, from *Conn) error {
	err := c.backup(ctx, from)
	switch theirs, ours := from.around.damage(from.path), c.around.damage(c.path); {
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
			return errors.New("one of the two is locked")
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// isVacuum recognises the one statement that the authorizer is not asked about
// before it runs. This is for the words of the refusal only: within a
// transaction and by the guard, VACUUM would fail in any case.
func isVacuum(sql string) bool {
	const word = "vacuum"
	return len(sql) >= len(word) && strings.EqualFold(sql[:len(word)], word)
}
