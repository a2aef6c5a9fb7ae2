package network

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// life is one stretch of time in which a host was there. It begins and ends under the network's lock.
type life struct {
	ctx   context.Context
	end   context.CancelCauseFunc
	dials sync.WaitGroup // those under way; added to under the network's lock
}

func newLife() *life {
	l := &life{}
	l.ctx, l.end = context.WithCancelCause(context.Background())
	return l
}

// ended is why it has ended, or nil.
func (l *life) ended() error { return context.Cause(l.ctx) }

// bind returns a context that ends with the life, too, and for the same reason.
func (l *life) bind(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(l.ctx, func() { cancel(l.ended()) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// Crash takes the host away. From its return on, nothing that anybody there still does leaves the
// host and nothing reaches it, until Revive: its connections are reset as Reset says, its listener
// is closed, dialing and listening fail with an error that wraps net.ErrClosed, and whoever dials
// the host is refused. What was sent before is on its way and arrives. Crash waits for what is being
// dialed from the host to fail, which is at once. Crashing again is no error.
func (h *Host) Crash() {
	why := fmt.Errorf("host %s has crashed: %w", h.name, net.ErrClosed)
	h.network.mu.Lock()
	life := h.life
	life.end(why)
	h.network.mu.Unlock()
	if !h.remote {
		h.port.shut(why)
	}
	h.Reset()
	life.dials.Wait()
}

// Revive lets a host that has crashed be used again, at the address it had. What belonged to it
// before the crash stays dead. Reviving a host that is there does nothing.
func (h *Host) Revive() {
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || h.life.ended() == nil {
		return
	}
	h.life = newLife()
	if !h.remote {
		h.port.shut(nil)
	}
}
