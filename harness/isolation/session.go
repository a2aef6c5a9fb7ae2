package isolation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ending is what became of a transaction.
type ending int

const (
	open       ending = iota
	committed         // acknowledged
	aborted           // by the database, or because a statement waited for too long
	rolledBack        // by its client
)

// session is one transaction, whose steps a goroutine of its own executes in order. The goroutine owns the fields below
// steps until it ends.
type session struct {
	name  string
	node  *harness.Node
	level target.Isolation
	limit time.Duration // of one statement

	steps chan *step
	tx    *harness.Transaction

	ending ending
	reads  []found
	gaveUp bool  // a statement waited until its limit
	wrong  error // neither a conflict nor a wait
}

// step is one line of a script, and what came of it.
type step struct {
	session, text string
	done          chan struct{}
	told          string // set before done is closed
}

// work executes steps until there are none, and then ends the transaction. It ends in bounded time, because each
// statement does.
func (s *session) work(ctx context.Context) {
	for step := range s.steps {
		step.told = s.do(ctx, step.text)
		close(step.done)
	}
	if s.tx != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limit)
		defer cancel()
		_ = s.tx.Rollback(ctx) // its connection is closed otherwise
	}
}

// do executes one step, and returns what came of it.
func (s *session) do(ctx context.Context, text string) string {
	if s.ending != open || s.wrong != nil {
		return "is not sent: the transaction has ended"
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	switch text {
	case "begin":
		tx, err := s.node.Begin(ctx, s.level)
		s.tx = tx
		return s.explain(ctx, err, fmt.Sprintf("at %s", s.node))
	case "commit":
		err := s.tx.Commit(ctx)
		if err == nil {
			s.ending = committed
		}
		return s.explain(ctx, err, "done")
	case "rollback":
		err := s.tx.Rollback(ctx)
		if err == nil {
			s.ending = rolledBack
		}
		return s.explain(ctx, err, "done")
	}
	answer, err := s.tx.Execute(ctx, text)
	if err != nil || !strings.HasPrefix(text, "SELECT") {
		return s.explain(ctx, err, fmt.Sprintf("%d rows", answer.Affected()))
	}
	read, err := rowsOf(answer)
	if err == nil {
		s.reads = append(s.reads, read)
	}
	return s.explain(ctx, err, read.String())
}

// explain notes what an error says of the transaction, and returns what came of a step.
func (s *session) explain(ctx context.Context, err error, done string) string {
	switch {
	case err == nil:
		return done
	case errors.Is(err, target.ErrConflict):
		s.ending = aborted
	case errors.Is(err, target.ErrTimeout) || ctx.Err() != nil && context.Cause(ctx) == context.DeadlineExceeded:
		s.ending, s.gaveUp = aborted, true
		if target.OutcomeOf(err) == target.Unknown && done == "done" {
			s.wrong = err // a COMMIT whose outcome is unknown
		}
	default:
		s.wrong = err
	}
	return "fails: " + err.Error()
}
