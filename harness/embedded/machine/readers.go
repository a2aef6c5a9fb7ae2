package machine

import (
	"context"
	"errors"
	"fmt"
	"sync"

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
	once      sync.Once

	mu   sync.Mutex
	idle []*sqlite.Conn
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

func newReaders(path string, limit int, damaged func(error) error) *readers {
	return &readers{path: path, damaged: damaged, reads: newSeats(limit), snapshots: newSeats(1), closed: make(chan struct{})}
}

// take blocks until a connection is free, ctx ends or the machine is closed.
func (r *readers) take(ctx context.Context, from seats) (*sqlite.Conn, error) {
	select {
	case <-r.closed:
		return nil, ErrClosed
	default:
	}
	select {
	case <-from:
	case <-r.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for one of %d connections for reading: %w", cap(from), context.Cause(ctx))
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

func (r *readers) put(conn *sqlite.Conn, to seats) {
	r.mu.Lock()
	r.idle = append(r.idle, conn)
	r.mu.Unlock()
	to <- struct{}{}
}

// close waits until every connection has been given back, then closes them.
func (r *readers) close() error {
	var err error
	r.once.Do(func() {
		close(r.closed)
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
