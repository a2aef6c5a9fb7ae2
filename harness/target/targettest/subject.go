package targettest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// The tables of the checks.
const (
	space = "conformance"
	table = space + ".t" // k, v
	types = space + ".types"
)

// subject is a cluster that is checked.
type subject struct {
	target.Cluster
	t       target.Target
	o       Options
	last    *atomic.Int64 // the key that was given out last
	closing sync.Once
	closed  error
}

// boot boots a cluster and creates the tables.
func boot(ctx context.Context, t target.Target, o Options) (*subject, error) {
	booting, cancel := context.WithTimeout(ctx, o.Patience)
	defer cancel()
	c, err := t.Boot(booting, o.Nodes)
	if sized := (*target.SizeError)(nil); errors.As(err, &sized) {
		o.Nodes = sized.Has
		c, err = t.Boot(booting, o.Nodes)
	}
	switch {
	case errors.Is(err, target.ErrOneCluster):
		return nil, &Skipped{err.Error()}
	case err != nil:
		return nil, wrong("Target.Boot", "%d nodes did not boot: %v", o.Nodes, err)
	}
	s := &subject{Cluster: c, t: t, o: o, last: new(atomic.Int64)}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.shut())
	}
	return s, nil
}

func (s *subject) prepare(ctx context.Context) error {
	if n := len(s.Nodes()); n != s.o.Nodes {
		return wrong("Cluster.Nodes", "a cluster of %d nodes was asked for, and has %d", s.o.Nodes, n)
	}
	for _, sql := range []string{
		"CREATE NAMESPACE " + space,
		"CREATE TABLE " + table + " (k INTEGER PRIMARY KEY, v TEXT)",
		"CREATE TABLE " + types + " (k INTEGER PRIMARY KEY, i INTEGER, r REAL, s TEXT, b BLOB)",
	} {
		err := s.await(ctx, func(ctx context.Context) error {
			_, err := s.ask(ctx, s.Nodes()[0].Client(), target.Request{SQL: sql})
			if errors.Is(err, target.ErrExists) { // by an attempt that failed
				return nil
			}
			return err
		})
		if err != nil {
			return wrong("Node.Client", "%s failed: %v", sql, err)
		}
	}
	return s.level(ctx)
}

// shut closes the cluster, which must take no longer than the patience of the checks.
func (s *subject) shut() error {
	s.closing.Do(func() {
		done := make(chan error, 1)
		go func() { done <- s.Close() }()
		select {
		case err := <-done:
			if err != nil {
				s.closed = wrong("Cluster.Close", "Close failed: %v", err)
			}
		case <-time.After(s.o.Patience):
			s.closed = wrong("Cluster.Close", "Close did not return within %v", s.o.Patience)
		}
	})
	return s.closed
}

// left tells whether a check has left the cluster so that all nodes take writes.
func (s *subject) left(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.Patience)
	defer cancel()
	for i := range s.Nodes() {
		if err := s.await(ctx, func(ctx context.Context) error { return s.put(ctx, s.client(i), s.key()) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *subject) client(i int) target.SQL { return s.Nodes()[i].Client() }
func (s *subject) inside(i int) target.SQL { return s.Nodes()[i].Inside() }
func (s *subject) id(i int) string         { return s.Nodes()[i].ID() }
func (s *subject) key() int64              { return s.last.Add(1) }

// others are the indexes of all nodes but one.
func (s *subject) others(but int) (others []int) {
	for i := range s.Nodes() {
		if i != but {
			others = append(others, i)
		}
	}
	return others
}

// ask sends a request and reads its whole answer.
func (s *subject) ask(ctx context.Context, sql target.SQL, request target.Request) (answer [][][]any, err error) {
	rows, err := sql.Query(ctx, request)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closing := rows.Close(); err == nil && closing != nil {
			err = closing
		}
	}()
	for rows.NextResult() {
		var result [][]any
		for rows.Next() {
			row, err := rows.Row()
			if err != nil {
				return nil, err
			}
			result = append(result, row)
		}
		answer = append(answer, result)
	}
	return answer, rows.Err()
}

// calmly is ask where no fault is made. It asks again while there is no leader: a busy machine may end a leadership.
func (s *subject) calmly(ctx context.Context, sql target.SQL, request target.Request) (answer [][][]any, err error) {
	var last error
	waited := s.await(ctx, func(context.Context) error { // each try has all of the time: how long a request may take is not the question
		answer, last = s.ask(ctx, sql, request)
		var e *target.Error
		if errors.As(last, &e) && e.Temporary && e.Outcome == target.NotApplied &&
			(errors.Is(last, target.ErrNoLeader) || errors.Is(last, target.ErrNoQuorum) || errors.Is(last, target.ErrUnreachable)) {
			return last
		}
		return nil
	})
	if waited != nil {
		return nil, waited
	}
	return answer, last
}

// put writes a key.
func (s *subject) put(ctx context.Context, sql target.SQL, key int64) error {
	_, err := s.ask(ctx, sql, insertion(key))
	return err
}

func insertion(key int64) target.Request {
	return target.Request{SQL: "INSERT INTO " + table + " (k, v) VALUES (?, ?)", Params: []any{key, fmt.Sprintf("value %d", key)}}
}

// written writes keys at one of the nodes after the other, until one is acknowledged, and returns it.
func (s *subject) written(ctx context.Context, nodes ...int) (key int64, err error) {
	err = s.await(ctx, func(ctx context.Context) error {
		var errs []error
		for _, i := range nodes {
			key = s.key()
			err := s.put(ctx, s.client(i), key)
			if err == nil {
				return nil
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return 0, fmt.Errorf("no write was acknowledged by nodes %v: %w", nodes, err)
	}
	return key, nil
}

// has tells whether a key is there.
func (s *subject) has(ctx context.Context, sql target.SQL, level target.Consistency, key int64) (bool, error) {
	answer, err := s.ask(ctx, sql, target.Request{SQL: fmt.Sprintf("SELECT k FROM %s WHERE k = %d", table, key), Consistency: level})
	switch {
	case err != nil:
		return false, err
	case len(answer) != 1:
		return false, wrong("Rows.NextResult", "a request with one SELECT has %d results", len(answer))
	}
	return len(answer[0]) == 1, nil
}

// step bounds one request of those that are repeated.
const step = time.Second

// await calls do again and again until it returns nil. The error is the last of do.
func (s *subject) await(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.Patience)
	defer cancel()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		once, end := context.WithTimeout(ctx, step)
		err := do(once)
		end()
		if err == nil {
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("not within %v: %w", s.o.Patience, err)
		}
	}
}

// never calls do again and again, and returns the first error within the silence.
func (s *subject) never(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.Silence)
	defer cancel()
	ticks := time.NewTicker(s.o.Silence / 10)
	defer ticks.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// shows waits until the node itself shows a key.
func (s *subject) shows(ctx context.Context, i int, key int64) error {
	return s.await(ctx, func(ctx context.Context) error {
		is, err := s.has(ctx, s.inside(i), target.Local, key)
		if err == nil && !is {
			err = fmt.Errorf("node %s does not show row %d", s.id(i), key)
		}
		return err
	})
}

// level waits until all nodes show what is committed and say that they are online: a leader may need a moment more until
// another node can follow it.
func (s *subject) level(ctx context.Context) error {
	key, err := s.written(ctx, s.others(-1)...)
	if err != nil {
		return wrong("Node.Client", "%v", err)
	}
	for i := range s.Nodes() {
		if err := s.shows(ctx, i, key); err != nil {
			return wrong("Node.Inside", "a row that was acknowledged is not on node %s: %v", s.id(i), err)
		}
	}
	for i, n := range s.Nodes() {
		err := s.await(ctx, func(ctx context.Context) error {
			status, err := n.Status(ctx)
			if err == nil && status.State != target.Online {
				err = fmt.Errorf("it is %s: %s", status.State, status.Reason)
			}
			return err
		})
		if err != nil {
			return wrong("Status.State", "node %s shows all rows, and is not online: %v", s.id(i), err)
		}
	}
	return nil
}

// leader returns the node that leads by the status of most nodes, or the first node if the database names no leader.
func (s *subject) leader(ctx context.Context) int {
	leader := 0
	looking, cancel := context.WithTimeout(ctx, min(s.o.Patience, 10*step))
	defer cancel()
	_ = s.await(looking, func(ctx context.Context) error { // without a leader, any node will do
		votes := make(map[string]int)
		for _, n := range s.Nodes() {
			if status, err := n.Status(ctx); err == nil {
				votes[status.Leader]++
			}
		}
		for i, n := range s.Nodes() {
			if votes[n.ID()] > len(s.Nodes())/2 {
				leader = i
				return nil
			}
		}
		if votes[""] == len(s.Nodes()) {
			return nil
		}
		return errors.New("no leader")
	})
	return leader
}

// hang bounds how long after the end of its context a call may return.
const hang = time.Second

// obeys calls do with a context that ends after the silence, and returns its error. late tells that do has not returned a
// second after that; it goes on then, and nothing waits for it.
//
//nolint:revive // the error is the answer
func (s *subject) obeys(ctx context.Context, do func(context.Context) error) (err error, late bool) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Silence)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	timer := time.NewTimer(s.o.Silence + hang)
	defer timer.Stop()
	select {
	case err := <-done:
		return err, false
	case <-timer.C:
		return nil, true
	}
}
