package network

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how many bytes a stream holds before its writer blocks.
const window = 256 << 10

// stream is one direction of a connection in memory: a queue of messages, each with the time from
// which it can be read.
type stream struct {
	link *link  // the link of the messages
	back *link  // the link of the notice that the reader is closed
	id   uint64 // seed of the jitter and loss

	reader, writer gate
	writing        chan struct{} // mutex of writers: unlocked while it holds a value

	mu     sync.Mutex
	queue  []message // read in this order, even if a later one is due earlier
	held   int       // bytes in the queue
	sent   uint64    // number of messages sent
	fin    error     // error after the last message; nil while more may be written
	finDue arrival
	gone   *arrival // when the writer learns that the reader is closed; nil while it is open
}

type message struct {
	data []byte
	due  arrival
}

func newStream(link, back *link, id uint64) *stream {
	s := &stream{link: link, back: back, id: id, writing: make(chan struct{}, 1)}
	s.writing <- struct{}{}
	return s
}

// notice sends a message without content.
func (s *stream) notice() arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sendLocked(0)
}

func (s *stream) sendLocked(size int) arrival {
	i := s.sent
	s.sent++
	return s.link.send(mix(s.id, i), size)
}

func (s *stream) read(p []byte) (int, error) {
	for {
		v, err := s.reader.look()
		if err != nil || len(p) == 0 {
			return 0, err
		}
		n, h, err := s.take(p)
		switch {
		case n > 0:
			s.writer.wake()
			return n, nil
		case err != nil:
			return 0, err
		}
		v.wait(h.at, h.over)
	}
}

// take reads messages that are due. If there are none, it returns what to wait for besides the
// next message.
func (s *stream) take(p []byte) (n int, h hold, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Checked under the lock: everything in the queue was written before.
	if held := s.link.cut.Load(); held != nil {
		return 0, hold{over: held.over}, nil
	}
	now, whole := time.Now(), 0
	for n < len(p) && len(s.queue) > 0 && !now.Before(s.link.due(&s.queue[0].due, now)) {
		m := &s.queue[0]
		k := copy(p[n:], m.data)
		n += k
		if m.data = m.data[k:]; len(m.data) == 0 {
			*m = message{}
			s.queue = s.queue[1:]
			whole++
		}
	}
	s.held -= n
	switch {
	case n > 0:
		s.link.passed.add(whole, n)
	case len(s.queue) > 0:
		h = s.queue[0].due.hold()
	case s.fin != nil && !now.Before(s.link.due(&s.finDue, now)):
		err = s.fin
	case s.fin != nil:
		h = s.finDue.hold()
	}
	return n, h, err
}

// errSevered ends a write after half of its message. The connection must be reset now.
var errSevered = errors.New("cut in half")

// write returns how many bytes of p were accepted. Like a socket's, a write is contiguous:
// writers are serialized.
func (s *stream) write(p []byte) (done int, err error) {
	for taken := false; !taken; {
		v, err := s.writer.look()
		if err != nil {
			return 0, err
		}
		select {
		case <-s.writing: // fast path
			taken = true
		default:
			taken = v.wait(time.Time{}, s.writing)
		}
	}
	defer func() { s.writing <- struct{}{} }()
	if len(p) == 0 || !s.link.severs() {
		return s.send(p)
	}
	done, _ = s.send(p[:len(p)/2]) // the connection is reset in any case
	return done, errSevered
}

// send is write without the lock of writers, which the caller must hold.
func (s *stream) send(p []byte) (done int, err error) {
	for done < len(p) {
		v, err := s.writer.look()
		if err != nil {
			return done, err
		}
		n, h, err := s.put(p[done:])
		done += n
		switch {
		case n > 0:
			s.reader.wake()
		case err != nil:
			return done, err
		default:
			v.wait(h.at, h.over)
		}
	}
	return done, nil
}

// put queues as much of p as fits into the window. If nothing fits, it returns what to wait for
// besides room: the notice that the reader is closed.
func (s *stream) put(p []byte) (n int, h hold, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fin != nil {
		return 0, h, os.NewSyscallError("write", syscall.EPIPE)
	}
	if s.gone != nil {
		now := time.Now()
		held := s.back.cut.Load()
		switch early := now.Before(s.back.due(s.gone, now)); {
		case early:
			h = s.gone.hold()
		case held != nil:
			h = hold{over: held.over}
		default:
			return 0, h, os.NewSyscallError("write", syscall.EPIPE)
		}
	}
	if n = min(len(p), window-s.held); n > 0 {
		s.queue = append(s.queue, message{bytes.Clone(p[:n]), s.sendLocked(n)})
		s.held += n
	}
	return n, h, nil
}

// finish sends the end of the stream after the written data. If the connection is closed at the
// same time, data held by a cut is lost, and the reader gets a reset instead of EOF. It returns
// when the notice of the close arrives.
func (s *stream) finish(end error, closed bool) arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.sendLocked(0)
	if s.fin == nil || s.fin == io.EOF && end != io.EOF {
		s.fin, s.finDue = end, at
	}
	if closed && len(s.queue) > 0 && s.link.cut.Load() != nil {
		s.queue, s.held = nil, 0
		s.fin = errReset
	}
	return at
}

// abandon discards unread data, and sets when the writer learns that the reader is closed.
func (s *stream) abandon(learned arrival) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue, s.held = nil, 0
	if s.gone == nil {
		s.gone = &learned
	}
}
