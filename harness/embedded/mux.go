package embedded

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// mux serves HTTP and Raft on one port. The first byte of a connection decides which listener gets
// it.
type mux struct {
	base     net.Listener
	conns    *conns
	patience time.Duration // for the first byte and the handshake
	accepted func(net.Conn) net.Conn
	// greet does the handshake with a node, after the first byte. If replicates is false, the node
	// wanted only the handshake.
	greet func(io.ReadWriter) (replicates bool, err error)

	http, raft *branch

	wg sync.WaitGroup
}

func newMux(base net.Listener, conns *conns, patience time.Duration,
	accepted func(net.Conn) net.Conn, greet func(io.ReadWriter) (bool, error)) *mux {
	m := &mux{
		base: base, conns: conns, patience: patience, accepted: accepted, greet: greet,
		http: newBranch(base.Addr()), raft: newBranch(base.Addr()),
	}
	m.wg.Go(m.accept)
	return m
}

func (m *mux) accept() {
	for {
		conn, err := m.base.Accept()
		if err != nil {
			m.http.fail(err)
			m.raft.fail(err)
			return
		}
		if conn, err := m.conns.track(decorated(conn, m.accepted)); err == nil {
			m.wg.Go(func() { m.route(conn) })
		}
	}
}

// route passes the connection to its listener, or closes it.
func (m *mux) route(conn *tracked) {
	branch, known, err := m.recognise(conn)
	if err != nil || branch == nil || !branch.deliver(known) {
		_ = conn.Close()
	}
}

// recognise reads the first byte, and does the handshake if a node connects. A nil branch means that
// the connection is no longer needed.
func (m *mux) recognise(conn *tracked) (*branch, net.Conn, error) {
	if err := conn.SetDeadline(time.Now().Add(m.patience)); err != nil {
		return nil, nil, err
	}
	buffered := bufio.NewReaderSize(conn, 4096)
	first, err := buffered.Peek(1)
	if err != nil {
		return nil, nil, err
	}
	branch := m.http
	if first[0] == raftByte {
		if _, err := buffered.Discard(1); err != nil {
			return nil, nil, err
		}
		replicates, err := m.greet(struct {
			io.Reader
			io.Writer
		}{buffered, conn})
		if err != nil || !replicates {
			return nil, nil, err
		}
		branch = m.raft
	}
	peeked, err := buffered.Peek(buffered.Buffered())
	if err != nil {
		return nil, nil, err
	}
	return branch, &replayed{tracked: conn, first: bytes.Clone(peeked)}, conn.SetDeadline(time.Time{})
}

// close stops accepting and waits for the goroutines, which end when their connections are closed.
func (m *mux) close() error {
	err := m.base.Close()
	m.http.fail(net.ErrClosed)
	m.raft.fail(net.ErrClosed)
	m.wg.Wait()
	return err
}

// branch is the listener of one protocol.
type branch struct {
	addr  net.Addr
	conns chan net.Conn
	ctx   context.Context // its cause is the error that Accept returns after its end
	end   context.CancelCauseFunc
}

func newBranch(addr net.Addr) *branch {
	ctx, end := context.WithCancelCause(context.Background())
	return &branch{addr: addr, conns: make(chan net.Conn), ctx: ctx, end: end}
}

func (b *branch) fail(err error) { b.end(err) }

func (b *branch) deliver(conn net.Conn) bool {
	select {
	case b.conns <- conn:
		return true
	case <-b.ctx.Done():
		return false
	}
}

func (b *branch) Accept() (net.Conn, error) {
	select {
	case conn := <-b.conns:
		return conn, nil
	case <-b.ctx.Done():
		return nil, context.Cause(b.ctx)
	}
}

func (b *branch) Close() error   { b.fail(net.ErrClosed); return nil }
func (b *branch) Addr() net.Addr { return b.addr }

// replayed is a connection that returns bytes again that were already read.
type replayed struct {
	*tracked
	first []byte
}

func (r *replayed) Read(p []byte) (int, error) {
	if len(r.first) > 0 {
		n := copy(p, r.first)
		r.first = r.first[n:]
		return n, nil
	}
	return r.tracked.Read(p)
}
