package sqldb

import (
	"cmp"
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
)

// Batch is a target.SQL of a database without a database/sql driver, which takes all statements of a request at once and
// executes them as one transaction: over HTTP, for instance. It is safe for concurrent use. Of Options it uses Node, Judge,
// Dialect and Timeout.
//
// The outcome of an error is that of Judge, and Unknown where that says nothing; a request that reads was not applied.
type Batch struct {
	options Options
	send    Send
	guard   Guard
}

// Send executes statements as one transaction, and returns a result for each. It must not send them again by itself. If the
// database executes none because one fails, that is its error. It may also return an *target.Error.
type Send func(ctx context.Context, consistency target.Consistency, statements []dialect.Statement) ([]Result, error)

// Guard makes requests with an ID apply once in a database that takes all statements at once. See package dedupe.
type Guard interface {
	// Around returns the statements with others between and around, whose results are hidden.
	Around(request target.Request, statements []dialect.Statement) []dialect.Statement
	// Applied returns the answer of a request that has failed, if it was applied before; nil if it was not.
	Applied(ctx context.Context, ask dialect.Lookup, request target.Request) (*Answer, error)
}

// NewBatch returns a Batch that executes statements by send. guard may be nil: then IDs are ignored.
func NewBatch(options Options, send Send, guard Guard) *Batch {
	return &Batch{options.withDefaults(), send, guard}
}

// Query executes a request. The answer is held in memory.
func (b *Batch) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, b.options.Timeout, errSlow)
	defer cancel()
	no := target.NotApplied
	if err := checkParams(request.Params); err != nil {
		return nil, failure(b.options.Node, b.options.Judge, err, &no)
	}
	statements, err := b.options.Dialect.Translate(ctx, request, b.ask(cmp.Or(request.Consistency, target.Leader)))
	if err == nil && len(statements) == 0 {
		err = errEmpty
	}
	if err != nil {
		return nil, failure(b.options.Node, b.options.Judge, b.why(ctx, err), &no)
	}
	changes := false
	for _, s := range statements {
		changes = changes || !s.Reads
	}
	guarded := changes && request.ID != "" && b.guard != nil
	if guarded {
		statements = b.guard.Around(request, statements)
	}
	results, err := b.send(ctx, request.Consistency, statements)
	if err == nil && len(results) != len(statements) {
		err = errors.New("the database has not answered every statement")
	}
	switch {
	case err == nil:
		return shown(statements, results).Rows(changes), nil
	case !changes:
		failed := failure(b.options.Node, b.options.Judge, b.why(ctx, err), &no)
		return nil, namespaced(ctx, b.options, failed, request, b.ask(cmp.Or(request.Consistency, target.Leader)))
	}
	failed := failure(b.options.Node, b.options.Judge, b.why(ctx, err), nil)
	failed = namespaced(ctx, b.options, failed, request, b.ask(target.Leader))
	if !guarded || failed.Kind == nil || !errors.Is(failed.Kind, target.ErrConstraint) {
		return nil, failed
	}
	answer, err := b.guard.Applied(ctx, b.ask(target.Strong), request)
	switch {
	case err != nil:
		e := failure(b.options.Node, b.options.Judge, b.why(ctx, err), nil)
		if e.Kind != target.ErrKeyReused && e.Kind != target.ErrAnswerGone {
			e.Outcome = target.Unknown // it may have been applied before
		}
		return nil, e
	case answer != nil:
		return answer.Rows(true), nil
	}
	return nil, failed
}

// why is the error of ctx if that has ended, with the other error.
func (b *Batch) why(ctx context.Context, err error) error {
	if known := (*target.Error)(nil); ctx.Err() == nil || errors.As(err, &known) {
		return err
	}
	return &endedError{context.Cause(ctx), err}
}

// ask reads for a translation.
func (b *Batch) ask(consistency target.Consistency) dialect.Lookup {
	return func(ctx context.Context, sql string, params ...any) ([][]any, error) {
		statement := dialect.Statement{SQL: sql, Params: params, Reads: true, Returns: true}
		results, err := b.send(ctx, consistency, []dialect.Statement{statement})
		if err != nil || len(results) != 1 {
			return nil, err
		}
		return results[0].Rows, nil
	}
}

// shown is the answer without hidden results, and without numbers of rows where a statement changes none: databases tell
// the number of the statement before.
func shown(statements []dialect.Statement, results []Result) *Answer {
	answer := &Answer{}
	for i, r := range results {
		if !statements[i].Counts {
			r.Affected, r.Counted = 0, false
		}
		if !statements[i].Hidden {
			answer.Results = append(answer.Results, r)
		}
	}
	return answer
}

// Execute executes statements in the database's own words, without translation, each by itself: those that prepare it for the
// suite. It stops at the first that fails.
func (b *Batch) Execute(ctx context.Context, statements ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, b.options.Timeout, errSlow)
	defer cancel()
	for _, text := range statements {
		if _, err := b.send(ctx, target.Default, []dialect.Statement{{SQL: text}}); err != nil {
			return failure(b.options.Node, b.options.Judge, b.why(ctx, err), nil)
		}
	}
	return nil
}
