package embedded

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// busy tracks the client connections with an answer in progress. When a handler returns, its
// answer may not be completely sent yet.
type busy struct {
	mu      sync.Mutex
	conns   map[net.Conn]bool
	changed chan struct{} // closed and replaced when a connection is removed
}

func newBusy() *busy { return &busy{conns: make(map[net.Conn]bool), changed: make(chan struct{})} }

// note is the server's ConnState callback.
func (b *busy) note(conn net.Conn, state http.ConnState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if state == http.StateActive {
		b.conns[conn] = true
		return
	}
	if b.conns[conn] {
		delete(b.conns, conn)
		close(b.changed)
		b.changed = make(chan struct{})
	}
}

// wait blocks until no answer is in progress, or ctx ends.
func (b *busy) wait(ctx context.Context) {
	for {
		b.mu.Lock()
		none, changed := len(b.conns) == 0, b.changed
		b.mu.Unlock()
		if none {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
