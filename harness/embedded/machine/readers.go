package machine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// readers are the connections for reading: opened when first needed, kept, and
// never more than their limit.
type readers struct {
	path   string
	tokens chan struct{} // one for each connection that may be in use

	mu     sync.Mutex
	idle   []*sqlite.Conn
	closed chan struct{}
	once   sync.Once
}

func newReaders(path string, limit int) *readers {
	r := &readers{path: path, tokens: make(chan struct{}, limit), closed: make(chan struct{})}
	for range limit {
		r.tokens <- struct{}{}
	}
	return r
}

// take blocks until a connection is free, ctx ends or the machine is closed.
func (r *readers) take(ctx context.Context) (*sqlite.Conn, error) {
	select {
	case <-r.closed:
		return nil, ErrClosed
	default:
	}
	select {
	case <-r.tokens:
	case <-r.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for one of %d connections for reading: %w", cap(r.tokens), context.Cause(ctx))
	}
	if conn := r.pop(); conn != nil {
		return conn, nil
	}
	conn, err := sqlite.Open(r.path, sqlite.Reader)
	if err != nil {
		r.tokens <- struct{}{}
		return nil, err
	}
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

func (r *readers) put(conn *sqlite.Conn) {
	r.mu.Lock()
	r.idle = append(r.idle, conn)
	r.mu.Unlock()
	r.tokens <- struct{}{}
}

// close waits until every connection has been given back, then closes them.
func (r *readers) close() error {
	var err error
	r.once.Do(func() {
		close(r.closed)
		for range cap(r.tokens) {
			<-r.tokens
		}
		for _, conn := range r.idle {
			err = errors.Join(err, conn.Close())
		}
		r.idle = nil
	})
	return err
}
