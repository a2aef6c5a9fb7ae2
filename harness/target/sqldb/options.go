package sqldb

import (
	"context"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
)

// Options say how a database is spoken to. The zero Options fit SQLite's SQL.
type Options struct {
	// Node is the ID of the node, for errors.
	Node string
	// Judge reads an error of the driver. nil knows none: an error of the driver then has no kind, and the outcome of a
	// commit that fails is unknown.
	Judge func(error) Verdict
	// JudgeSchema reads an error of a statement that commits by itself, dialect.Statement.Commits; nil is Judge.
	JudgeSchema func(error) Verdict
	// Dialect translates requests. nil is dialect.Plain.
	Dialect dialect.Dialect
	// Begin are the statements that begin the transaction of a request that changes data; nil is BEGIN. BeginReading
	// begins a request of several statements that read; nil is Begin.
	Begin, BeginReading []string
	// InTheWay tells of an error of Begin or Prepare that another transaction is in the way. Then they are sent again, until
	// Timeout: for a database that does not wait by itself. nil never does.
	InTheWay func(error) bool
	// BeforeCommit are statements that are sent before each commit of a transaction that has changed data. With them a database
	// that reports no log index counts its commits in a table: see Status.AppliedIndex.
	BeforeCommit []string
	// Commit and Rollback end a transaction; empty is COMMIT and ROLLBACK.
	Commit, Rollback string
	// Levels are the statements that begin an interactive transaction of each isolation level that the database has.
	Levels map[target.Isolation][]string
	// Prepare are statements that are sent before each request of that consistency, outside its transaction. nil sends
	// nothing. What they set stays set on the connection: prepare every consistency, or none.
	Prepare map[target.Consistency][]string
	// FailsWhole tells that a statement which fails ends its transaction, and that a commit then only seems to succeed,
	// as in PostgreSQL.
	FailsWhole bool
	// Value replaces a value of the driver by nil, an int64, float64, string or []byte; nil is Exact. It must give
	// different values for values that differ.
	Value func(column target.Column, v any) (any, error)
	// Once makes requests with an ID apply once; nil ignores IDs. See package dedupe.
	Once Once
	// Timeout limits each call of the driver; 0 is 5 s. Grace is how long a call that was ended may take to return, and a
	// transaction to be rolled back; 0 is 1 s.
	Timeout, Grace time.Duration
}

func (o Options) withDefaults() Options {
	if o.Judge == nil {
		o.Judge = func(error) Verdict { return Verdict{} }
	}
	if o.JudgeSchema == nil {
		o.JudgeSchema = o.Judge
	}
	if o.Dialect == nil {
		o.Dialect = dialect.Plain{}
	}
	if o.Begin == nil {
		o.Begin = []string{"BEGIN"}
	}
	if o.BeginReading == nil {
		o.BeginReading = o.Begin
	}
	if o.Commit == "" {
		o.Commit = "COMMIT"
	}
	if o.Rollback == "" {
		o.Rollback = "ROLLBACK"
	}
	if o.Value == nil {
		o.Value = Exact
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Grace == 0 {
		o.Grace = time.Second
	}
	return o
}

// Once applies requests with an ID once. Its methods run in the transaction of the request, on its connection. Where a statement
// commits by itself, dialect.Statement.Commits, an ID is claimed before the statement is applied: of a request that ended between
// nothing is known, also when it is sent again.
type Once interface {
	// Recall returns the answer of the request if it was applied before; else it claims the ID, and returns nil. An error
	// of kind target.ErrKeyReused or target.ErrAnswerGone ends the request. One of kind target.ErrConstraint tells that
	// another request has claimed the ID meanwhile: then the request is begun again, once.
	Recall(ctx context.Context, tx Tx, request target.Request) (*Answer, error)
	// Keep remembers the request with its answer, which is nil if it was too large to be kept.
	Keep(ctx context.Context, tx Tx, request target.Request, answer *Answer) error
	// Forget gives an ID back: the request was not applied, and its claim was committed.
	Forget(ctx context.Context, tx Tx, request target.Request) error
}

// Tx is the transaction of a request.
type Tx interface {
	// Exec executes a statement.
	Exec(ctx context.Context, sql string, params ...any) error
	// Query returns all rows of a statement, with exact values.
	Query(ctx context.Context, sql string, params ...any) ([][]any, error)
}
