package network

import (
	"io"
	"net"
	"sync"
)

// relay copies between the far end of a connection in memory and a real socket.
type relay struct {
	*pair
	raw *net.TCPConn
}

func newRelay(p *pair, raw *net.TCPConn) *relay {
	p.forget = func() {} // the socket may have more to say
	return &relay{p, raw}
}

// run returns when both directions have ended.
func (r *relay) run() {
	var answers sync.WaitGroup
	answers.Go(func() { r.copy(r.far, r.raw) })
	r.copy(r.raw, r.far)
	answers.Wait()
	r.raw.Close()
	r.far.Close()
	r.from.network.forget(r)
}

type halfCloser interface {
	io.ReadWriter
	CloseWrite() error
}

// copy passes an orderly end on as such, and anything else as a reset of both.
func (r *relay) copy(to, from halfCloser) {
	if _, err := io.Copy(to, from); err != nil {
		r.far.abort()
		abort(r.raw)
		return
	}
	_ = to.CloseWrite()
}

func (r *relay) reset(by *Host) {
	r.pair.reset(by)
	if by != r.from { // whose reset travels to the socket with the rest
		abort(r.raw)
	}
}
