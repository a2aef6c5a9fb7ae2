package sqldb

import (
	"context"
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
)

// request executes a request on a connection of its own. It begins again, once, if an idle connection turns out to be gone
// before anything was sent that changes data or was answered, or if another request claims the same ID.
func (r *run) request(request target.Request) *target.Error {
	if err := checkParams(request.Params); err != nil {
		return r.db.failure(err, target.NotApplied)
	}
	failed := r.attempt(request, true)
	if failed == errAgain {
		failed = r.attempt(request, false)
	}
	if failed != nil {
		return r.namespaced(failed, request)
	}
	return nil
}

// errAgain tells that the request may begin again.
var errAgain = &target.Error{}

func (r *run) attempt(request target.Request, again bool) *target.Error {
	s, err := r.connect()
	if err != nil {
		return r.db.failure(err, target.NotApplied)
	}
	q := &requested{run: r, session: s, request: request}
	err = q.execute()
	switch {
	case err == nil && (q.committed || !q.inTransaction):
		s.release()
	case r.ctx.Err() != nil:
		s.discard()
	case q.inTransaction:
		r.rollback(s)
	case r.db.lost(err):
		s.discard()
	default:
		s.release()
	}
	if again && err != nil && !r.answered && q.changes == 0 && r.ctx.Err() == nil {
		switch {
		case r.db.lost(err):
			r.db.dropIdle()
			return errAgain
		case q.claiming && errors.Is(r.db.read(err), target.ErrConstraint):
			return errAgain
		}
	}
	return q.failure(err)
}

var errEmpty = &target.Error{Code: "EMPTY", Message: "the request has no statement", Kind: target.ErrSyntax, Outcome: target.NotApplied}

// requested is a request while it is executed.
type requested struct {
	*run
	session *session
	request target.Request

	inTransaction bool
	changes       int  // statements that change data and were sent
	committing    bool // the commit was sent, or a statement that commits by itself
	alone         bool // what was sent last is a statement that commits by itself
	committed     bool
	partly        bool // a statement that commits by itself was executed, or followed changes
	once          bool // it is applied once, by its ID
	claiming      bool // its ID is looked up or claimed
	repeated      bool // it was applied before
	kept          *Answer
	keptBytes     int
}

// failure is the error with the outcome of the request.
func (q *requested) failure(err error) *target.Error {
	switch {
	case err == nil:
		return nil
	case q.repeated:
		return q.db.failure(err, target.Applied)
	case q.partly, q.claiming && errors.Is(q.db.read(err), target.ErrConstraint): // another one with its ID may be applied
		return q.db.failure(err, target.Unknown)
	case q.committing && q.changes > 0 && q.alone:
		return failure(q.db.options.Node, q.db.options.JudgeSchema, err, nil)
	case q.committing && q.changes > 0:
		return q.db.read(err)
	}
	return q.db.failure(err, target.NotApplied)
}

func (q *requested) execute() error {
	o := q.db.options
	if err := q.sendBegin(q.session, o.Prepare[q.request.Consistency]); err != nil {
		return err
	}
	statements, err := o.Dialect.Translate(q.ctx, q.request, q.lookup)
	if err != nil {
		return err
	}
	if len(statements) == 0 {
		return errEmpty
	}
	changes, commits := false, false
	for _, s := range statements {
		changes, commits = changes || !s.Reads, commits || s.Commits
	}
	q.changed.Store(changes)
	if err := q.begin(changes, len(statements)); err != nil {
		return err
	}
	q.once = changes && q.request.ID != "" && o.Once != nil
	if q.once {
		found, err := q.recall()
		if q.repeated && commits && errors.Is(err, target.ErrAnswerGone) {
			q.repeated, q.partly = false, true
			return fmt.Errorf("the ID was claimed, and nothing tells whether the statement that follows was applied: %w", err)
		}
		if found || err != nil {
			return err
		}
	}
	for _, s := range statements {
		if err := q.statement(s); err != nil {
			return errors.Join(err, q.forget(err))
		}
	}
	if q.once {
		if err := o.Once.Keep(q.ctx, tx{q.run, q.session}, q.request, q.kept); err != nil {
			return err
		}
	}
	return q.commit(changes)
}

// begin begins the transaction of a request, if it needs one.
func (q *requested) begin(changes bool, statements int) error {
	if q.inTransaction || !changes && statements == 1 {
		return nil
	}
	begin := q.db.options.BeginReading
	if changes {
		begin = q.db.options.Begin
	}
	q.inTransaction = true
	return q.sendBegin(q.session, begin)
}

func (q *requested) commit(changes bool) error {
	if !q.inTransaction {
		return nil
	}
	if changes {
		err := q.execAll(q.session, q.db.options.BeforeCommit...)
		if err == nil {
			err = q.goOn()
		}
		if err != nil {
			return err
		}
	}
	q.committing, q.alone = true, false
	err := q.execAll(q.session, q.db.options.Commit)
	q.committed = err == nil
	return err
}

// lookup asks the database for the translation of a request that changes data.
func (q *requested) lookup(ctx context.Context, sql string, params ...any) ([][]any, error) {
	if err := q.begin(true, 0); err != nil {
		return nil, err
	}
	return tx{q.run, q.session}.Query(ctx, sql, params...)
}

// statement executes one statement, and sends its result.
func (q *requested) statement(s dialect.Statement) error {
	if s.Commits {
		if err := q.goOn(); err != nil {
			return err
		}
		q.committing, q.partly = true, q.partly || q.changes > 0
	}
	q.alone = s.Commits
	if !s.Reads {
		q.changes++
	}
	var rows [][]any
	var keep func([]any)
	if q.kept != nil {
		keep = func(row []any) {
			if q.keep(row) {
				rows = append(rows, row)
			}
		}
	}
	result, err := q.deliver(q.session, s, keep)
	if err != nil {
		return err
	}
	q.partly = q.partly || s.Commits
	if q.kept != nil && !s.Hidden {
		result.Rows = rows
		q.kept.Results = append(q.kept.Results, result)
	}
	return nil
}

// LargestKept is how many bytes of an answer are kept for Options.Once, about.
const LargestKept = 64 << 10

// keep tells whether a row may be kept for Options.Once. It gives up the whole answer if that gets too large.
func (q *requested) keep(row []any) bool {
	if q.kept == nil {
		return false
	}
	q.keptBytes += len(target.AppendRow(nil, row))
	if q.keptBytes > LargestKept {
		q.kept = nil
	}
	return q.kept != nil
}

// forget gives the ID back if the statement that failed would have committed by itself, and was not applied: the claim of the ID was
// committed before it.
func (q *requested) forget(err error) error {
	if !q.once || !q.alone || q.partly || failure(q.db.options.Node, q.db.options.JudgeSchema, err, nil).Outcome != target.NotApplied {
		return nil
	}
	if err := q.db.options.Once.Forget(q.ctx, tx{q.run, q.session}, q.request); err != nil {
		return fmt.Errorf("give the ID of a request back that was not applied: %w", err)
	}
	return nil
}

// recall sends the answer of a request that was applied before, and tells whether it was.
func (q *requested) recall() (found bool, err error) {
	q.claiming = true
	answer, err := q.db.options.Once.Recall(q.ctx, tx{q.run, q.session}, q.request)
	q.claiming = err != nil
	if err != nil || answer == nil {
		q.repeated = errors.Is(err, target.ErrAnswerGone)
		q.kept = &Answer{}
		return false, err
	}
	q.repeated = true
	var events []event
	for _, result := range answer.Results {
		events = append(events, event{kind: beginResult, columns: result.Columns})
		for _, row := range result.Rows {
			events = append(events, event{kind: oneRow, row: row})
		}
		events = append(events, event{kind: endResult, affected: result.Affected, counted: result.Counted})
	}
	for _, e := range events {
		if err := q.send(e); err != nil {
			return true, fmt.Errorf("repeat the answer of a request that was applied before: %w", err)
		}
	}
	return true, nil
}
