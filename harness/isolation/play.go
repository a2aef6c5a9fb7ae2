package isolation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Setting is where an anomaly is played.
type Setting struct {
	Cluster *harness.Cluster
	// Table is the name of a table that does not exist, or that an earlier play has left.
	Table string
	Level target.Isolation
	// Nodes are those of the transactions, in order; the last one is also that of further ones. At least one.
	Nodes []int
	// Wait is how long a statement may take before it counts as waiting for another transaction, and the others go on
	// without it. Default 250 ms. It makes no difference to the verdict, except that of Waited.
	Wait time.Duration
	// Limit is how long a statement may take at most. It should be longer than the database's own limit for a lock.
	// Default 10 s.
	Limit time.Duration
}

// Verdict is what came of an anomaly.
type Verdict string

// The verdicts.
const (
	Happens   Verdict = "happens"
	Prevented Verdict = "prevented"
	Aborts    Verdict = "prevented: aborts" // a transaction was aborted
	Blocks    Verdict = "prevented: blocks" // a statement waited for another transaction
)

// Played is one play of an anomaly.
type Played struct {
	Verdict Verdict
	// Text is the interleaving, one line a statement, with the answers.
	Text string
}

// ErrDisturbed is wrapped by the error of a play that shows nothing: a statement failed for another reason than a conflict,
// such as a change of the leader.
var ErrDisturbed = errors.New("the interleaving was disturbed")

// Play plays an anomaly once. It blocks until all transactions have ended. An error that wraps ErrDisturbed may not come
// again.
func (a Anomaly) Play(ctx context.Context, o Setting) (Played, error) {
	if o.Cluster == nil || len(o.Nodes) == 0 || o.Table == "" {
		return Played{}, errors.New("play an anomaly: cluster, table and nodes must be given")
	}
	if o.Wait <= 0 {
		o.Wait = 250 * time.Millisecond
	}
	if o.Limit <= 0 {
		o.Limit = 10 * time.Second
	}
	if err := o.prepare(ctx); err != nil {
		return Played{}, fmt.Errorf("prepare %s: %w", a, err)
	}
	s := &story{sessions: make(map[string]*session), waited: make(map[string]bool)}
	if err := a.run(ctx, o, s); err != nil {
		return Played{Text: s.String()}, err
	}
	if err := o.finally(ctx, s); err != nil {
		return Played{Text: s.String()}, fmt.Errorf("read the rows after %s: %w", a, err)
	}
	return Played{a.verdict(s), s.String()}, nil
}

func (a Anomaly) verdict(s *story) Verdict {
	if a.happened(s) {
		return Happens
	}
	verdict := Prevented
	for _, session := range s.sessions {
		switch {
		case session.ending == aborted && !session.gaveUp:
			return Aborts
		case session.gaveUp || s.waited[session.name]:
			verdict = Blocks
		}
	}
	return verdict
}

// prepare makes the table with its two rows, and waits until every node has it.
func (o Setting) prepare(ctx context.Context) error {
	for _, sql := range []string{
		"CREATE TABLE IF NOT EXISTS " + o.Table + " (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)",
		"DELETE FROM " + o.Table,
		fmt.Sprintf("INSERT INTO %s (id, value) VALUES (%d, %d), (%d, %d)", o.Table, x, initialX, y, initialY),
	} {
		if _, err := o.Cluster.ExecuteWithRetry(ctx, sql); err != nil {
			return err
		}
	}
	return o.Cluster.WaitForAllOnline(ctx)
}

// run executes the script. It is an error if a statement failed for another reason than a conflict.
func (a Anomaly) run(ctx context.Context, o Setting, s *story) error {
	p, err := o.players(ctx, s, a.steps(o.Table))
	if err != nil {
		return err
	}
	err = p.play(ctx)
	p.end()
	for _, name := range p.names {
		if wrong := s.sessions[name].wrong; wrong != nil {
			err = errors.Join(err, fmt.Errorf("%w: %s: %w", ErrDisturbed, name, wrong))
		}
	}
	return err
}

// finally reads the rows in the end.
func (o Setting) finally(ctx context.Context, s *story) error {
	answer, err := o.Cluster.Reading(target.Strong).ExecuteWithRetry(ctx, "SELECT id, value FROM "+o.Table+" ORDER BY id")
	if err != nil {
		return err
	}
	rows, err := rowsOf(answer)
	if err != nil {
		return err
	}
	s.final = make(map[int64]int64)
	for _, row := range rows {
		s.final[row.id] = row.value
	}
	s.tell("in the end: %s", rows)
	return nil
}
