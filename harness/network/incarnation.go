package network

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// incarnation is one period in which a host was up. It begins and ends under the network's lock.
type incarnation struct {
	ctx   context.Context
	end   context.CancelCauseFunc
	dials sync.WaitGroup // dials in progress; added to under the network's lock
}

func newIncarnation() *incarnation {
	l := &incarnation{}
	l.ctx, l.end = context.WithCancelCause(context.Background())
	return l
}

// ended returns why the incarnation has ended, or nil.
func (l *incarnation) ended() error { return context.Cause(l.ctx) }

// bind returns a context that also ends with the incarnation, and with its cause.
func (l *incarnation) bind(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(l.ctx, func() { cancel(l.ended()) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// Crash disconnects the host until Revive. After it returns, nothing leaves or reaches the host:
// its connections are reset as by Reset, its listener is closed, dialing and listening fail with
// an error that wraps net.ErrClosed, and dials to the host are refused. Data sent before is in
// flight and arrives. Crash waits until dials from the host have failed, which is immediate.
// Crashing a crashed host has no effect.
func (h *Host) Crash() {
	why := fmt.Errorf("host %s has crashed: %w", h.name, net.ErrClosed)
	h.network.mu.Lock()
	current := h.current
	current.end(why)
	h.network.mu.Unlock()
	if !h.remote {
		h.port.shut(why)
	}
	h.Reset()
	current.dials.Wait()
}

// Revive makes a crashed host usable again, with the same address. Its earlier connections and
// listener stay closed. Reviving a running host has no effect.
func (h *Host) Revive() {
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || h.current.ended() == nil {
		return
	}
	h.current = newIncarnation()
	if !h.remote {
		h.port.shut(nil)
	}
}
