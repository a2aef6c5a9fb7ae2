package network

import (
	"bytes"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how many bytes a stream holds before its writer waits for its reader.
const window = 256 << 10

// stream is one direction of a connection in memory: a queue of messages, each with the time from
// which it can be read.
type stream struct {
	link *link  // the way the messages go
	back *link  // the way the news go that nobody reads them
	id   uint64 // what the jitter is drawn from

	reader, writer gate
	turn           chan struct{} // holds one token, which a writer has while it writes

	mu     sync.Mutex
	queue  []message // read in this order, even where a later one is due earlier
	held   int       // bytes in the queue
	sent   uint64    // messages so far
	fin    error     // what is read after the last message; nil while more may be written
	finDue time.Time
	gone   time.Time // when the writer learns that nobody reads; zero while somebody does
}

type message struct {
	data []byte
	due  time.Time
}

func newStream(link, back *link, id uint64) *stream {
	s := &stream{link: link, back: back, id: id, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// lag is how long the next message travels.
func (s *stream) lag() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lagLocked()
}

func (s *stream) lagLocked() time.Duration {
	i := s.sent
	s.sent++
	return s.link.lag(s.id, i)
}

func (s *stream) read(p []byte) (int, error) {
	for {
		v, err := s.reader.look()
		if err != nil || len(p) == 0 {
			return 0, err
		}
		n, next, held, err := s.take(p)
		switch {
		case n > 0:
			s.writer.wake()
			return n, nil
		case err != nil:
			return 0, err
		case held != nil:
			v.wait(time.Time{}, held.over)
		default:
			v.wait(next, nil)
		}
	}
}

// take reads what is due. If nothing is, it returns when something will be, if that is known, or
// the cut that is in the way.
func (s *stream) take(p []byte) (n int, next time.Time, held *cut, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Looked at under the lock: what is in the queue was written before this.
	if held = s.link.cut.Load(); held != nil {
		return 0, next, held, nil
	}
	now := time.Now()
	for n < len(p) && len(s.queue) > 0 && !now.Before(s.queue[0].due) {
		m := &s.queue[0]
		k := copy(p[n:], m.data)
		n += k
		if m.data = m.data[k:]; len(m.data) == 0 {
			*m = message{}
			s.queue = s.queue[1:]
		}
	}
	s.held -= n
	switch {
	case n > 0:
	case len(s.queue) > 0:
		next = s.queue[0].due
	case s.fin != nil && !now.Before(s.finDue):
		err = s.fin
	case s.fin != nil:
		next = s.finDue
	}
	return n, next, nil, err
}

// write returns how much of p is on its way. Like a socket's, it is one piece: two writers take turns.
func (s *stream) write(p []byte) (done int, err error) {
	for taken := false; !taken; {
		v, err := s.writer.look()
		if err != nil {
			return 0, err
		}
		select {
		case <-s.turn: // nearly always there, and then cheaper than to wait for
			taken = true
		default:
			taken = v.wait(time.Time{}, s.turn)
		}
	}
	defer func() { s.turn <- struct{}{} }()
	for done < len(p) {
		v, err := s.writer.look()
		if err != nil {
			return done, err
		}
		n, next, held, err := s.put(p[done:])
		done += n
		switch {
		case n > 0:
			s.reader.wake()
		case err != nil:
			return done, err
		case held != nil:
			v.wait(time.Time{}, held.over)
		default:
			v.wait(next, nil)
		}
	}
	return done, nil
}

// put sends as much of p as there is room for. If there is none, it returns when the writer will
// know that there never will be, if that is known, or the cut that keeps it from knowing.
func (s *stream) put(p []byte) (n int, next time.Time, held *cut, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fin != nil {
		return 0, next, nil, os.NewSyscallError("write", syscall.EPIPE)
	}
	now := time.Now()
	switch {
	case s.gone.IsZero():
	case now.Before(s.gone):
		next = s.gone
	default:
		if held = s.back.cut.Load(); held == nil {
			return 0, next, nil, os.NewSyscallError("write", syscall.EPIPE)
		}
	}
	if n = min(len(p), window-s.held); n > 0 {
		s.queue = append(s.queue, message{bytes.Clone(p[:n]), now.Add(s.lagLocked())})
		s.held += n
	}
	return n, next, held, nil
}

// finish sends the end of the stream behind what was written. If the connection is closed with it,
// what a cut holds back is lost, and the reader must not take what it got for all there was.
// It returns when the news of that close arrive.
func (s *stream) finish(end error, closed bool) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Now().Add(s.lagLocked())
	if s.fin == nil || s.fin == io.EOF && end != io.EOF {
		s.fin, s.finDue = end, at
	}
	if closed && len(s.queue) > 0 && s.link.cut.Load() != nil {
		s.queue, s.held = nil, 0
		s.fin = errReset
	}
	return at
}

// abandon forgets what the reader has not read, which it never will, and when the writer learns that.
func (s *stream) abandon(learned time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue, s.held = nil, 0
	s.gone = learned
}
