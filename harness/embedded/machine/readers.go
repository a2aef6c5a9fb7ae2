package machine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// readers is a pool of read connections. Connections are opened on demand and kept, up to the
// number of slots. Snapshots have a slot of their own, so that slow reads never delay them or the
// entries behind them.
type readers struct {
	path      string
	damaged   func(error) error // called when a read finds damage; returns the error to report
	reads     slots
	snapshots slots
	closed    chan struct{}
	ending    sync.Once
	closing   sync.Once

	mu   sync.Mutex
	idle []*sqlite.Conn
	held map[*hold]struct{}
}

// slots holds a token for each connection that is available.
type slots chan struct{}

func newSlots(limit int) slots {
	s := make(slots, limit)
	for range limit {
		s <- struct{}{}
	}
	return s
}

// hold is a slot in use by a view.
type hold struct {
	since time.Time
	end   context.CancelCauseFunc // ends the view's work
	ended bool
}

// share is how long a read may run while others wait for a slot.
const share = time.Second

// ErrCrowded ends a read that ran for longer than a second while others waited for a connection.
var ErrCrowded = fmt.Errorf("the read was ended after %v because all read connections are in use and other reads wait", share)

func newReaders(path string, limit int, damaged func(error) error) *readers {
	return &readers{
		path: path, damaged: damaged, reads: newSlots(limit), snapshots: newSlots(1),
		closed: make(chan struct{}), held: make(map[*hold]struct{}),
	}
}

// take blocks until a connection is available, ctx ends or the machine is closed.
func (r *readers) take(ctx context.Context, from slots) (*sqlite.Conn, error) {
	if err := r.acquire(ctx, from); err != nil {
		return nil, err
	}
	if conn := r.pop(); conn != nil {
		return conn, nil
	}
	conn, err := sqlite.Open(r.path, sqlite.Reader)
	if err != nil {
		from <- struct{}{}
		if sqlite.Damaged(err) {
			err = r.damaged(err)
		}
		return nil, err
	}
	conn.OnDamage(r.damaged)
	return conn, nil
}

// acquire waits for a slot. A waiting read ends the longest-running one after its share, so that
// endless reads do not block others.
func (r *readers) acquire(ctx context.Context, from slots) error {
	select {
	case <-r.closed:
		return ErrClosed
	default:
	}
	for {
		select {
		case <-from:
			return nil
		default:
		}
		next := time.NewTimer(r.makeRoom(time.Now()))
		select {
		case <-from:
			next.Stop()
			return nil
		case <-r.closed:
			next.Stop()
			return ErrClosed
		case <-ctx.Done():
			next.Stop()
			return fmt.Errorf("waiting for one of %d read connections: %w", cap(from), context.Cause(ctx))
		case <-next.C:
		}
	}
}

// makeRoom ends the oldest read if it has used up its share, and returns when to check again.
func (r *readers) makeRoom(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var oldest *hold
	for h := range r.held {
		if !h.ended && (oldest == nil || h.since.Before(oldest.since)) {
			oldest = h
		}
	}
	if oldest == nil {
		return share
	}
	if left := share - now.Sub(oldest.since); left > 0 {
		return left
	}
	oldest.ended = true
	oldest.end(ErrCrowded)
	return share
}

// hold records that a view has a slot from now on.
func (r *readers) hold(end context.CancelCauseFunc) *hold {
	h := &hold{since: time.Now(), end: end}
	r.mu.Lock()
	r.held[h] = struct{}{}
	r.mu.Unlock()
	return h
}

func (r *readers) pop() *sqlite.Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.idle) == 0 {
		return nil
	}
	conn := r.idle[len(r.idle)-1]
	r.idle = r.idle[:len(r.idle)-1]
	return conn
}

func (r *readers) put(conn *sqlite.Conn, h *hold, to slots) {
	r.mu.Lock()
	r.idle = append(r.idle, conn)
	delete(r.held, h)
	r.mu.Unlock()
	to <- struct{}{}
}

// interrupt ends all reads in progress and rejects new ones. It does not block.
func (r *readers) interrupt() {
	r.ending.Do(func() { close(r.closed) })
	r.mu.Lock()
	held := slices.Collect(maps.Keys(r.held))
	r.mu.Unlock()
	for _, h := range held {
		h.end(ErrClosed)
	}
}

// close waits until all connections are returned, then closes them.
func (r *readers) close() error {
	r.ending.Do(func() { close(r.closed) })
	var err error
	r.closing.Do(func() {
		for _, s := range []slots{r.reads, r.snapshots} {
			for range cap(s) {
				<-s
			}
		}
		for _, conn := range r.idle {
			err = errors.Join(err, conn.Close())
		}
		r.idle = nil
	})
	return err
}
