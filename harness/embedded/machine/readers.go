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

// readers are the connections for reading: opened when first needed, kept, and
// never more than there are seats. A snapshot has a seat of its own, so that
// slow reads never hold up the entries that come after it.
type readers struct {
	path      string
	damaged   func(error) error // is told of what reading finds damaged, and says what the error is
	reads     seats
	snapshots seats
	closed    chan struct{}
	ending    sync.Once
	closing   sync.Once

	mu   sync.Mutex
	idle []*sqlite.Conn
	held map[*hold]struct{}
}

// seats holds a token for each connection that may yet be taken.
type seats chan struct{}

func newSeats(limit int) seats {
	s := make(seats, limit)
	for range limit {
		s <- struct{}{}
	}
	return s
}

// hold is a seat that a view has.
type hold struct {
	since time.Time
	end   context.CancelCauseFunc // ends what the view is at
	ended bool
}

// share is how long a read may keep its seat while others wait for one.
const share = time.Second

// ErrCrowded ends a read that has had its share of time while others waited.
var ErrCrowded = fmt.Errorf("the read was ended after %v, since others wait and all connections for reading are taken", share)

func newReaders(path string, limit int, damaged func(error) error) *readers {
	return &readers{
		path: path, damaged: damaged, reads: newSeats(limit), snapshots: newSeats(1),
		closed: make(chan struct{}), held: make(map[*hold]struct{}),
	}
}

// take blocks until a connection is free, ctx ends or the machine is closed.
func (r *readers) take(ctx context.Context, from seats) (*sqlite.Conn, error) {
	if err := r.sit(ctx, from); err != nil {
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

// sit waits for a seat. A waiting read ends the one that has run for longest,
// once it has had its share, so that endless reads do not lock out others.
func (r *readers) sit(ctx context.Context, from seats) error {
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
			return fmt.Errorf("waiting for one of %d connections for reading: %w", cap(from), context.Cause(ctx))
		case <-next.C:
		}
	}
}

// makeRoom ends the oldest read if it has had its share, and returns when to look again.
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

// hold notes that a view has a seat since now.
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

func (r *readers) put(conn *sqlite.Conn, h *hold, to seats) {
	r.mu.Lock()
	r.idle = append(r.idle, conn)
	delete(r.held, h)
	r.mu.Unlock()
	to <- struct{}{}
}

// interrupt ends all reads under way and lets no new ones begin. It does not block.
func (r *readers) interrupt() {
	r.ending.Do(func() { close(r.closed) })
	r.mu.Lock()
	held := slices.Collect(maps.Keys(r.held))
	r.mu.Unlock()
	for _, h := range held {
		h.end(ErrClosed)
	}
}

// close waits until every connection has been given back, then closes them.
func (r *readers) close() error {
	r.ending.Do(func() { close(r.closed) })
	var err error
	r.closing.Do(func() {
		for _, s := range []seats{r.reads, r.snapshots} {
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
