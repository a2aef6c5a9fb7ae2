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
	finDue arrival
	gone   *arrival // when the writer learns that nobody reads; nil while somebody does
}

type message struct {
	data []byte
	due  arrival
}

func newStream(link, back *link, id uint64) *stream {
	s := &stream{link: link, back: back, id: id, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// news sends a message without content.
func (s *stream) news() arrival {
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

// take reads what is due. If nothing is, it returns what to wait for besides the next message.
func (s *stream) take(p []byte) (n int, h hold, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Looked at under the lock: what is in the queue was written before this.
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

// errSevered is why a write ended after half of its message: its connection is to be reset now.
var errSevered = errors.New("cut in half")

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
	if len(p) == 0 || !s.link.severs() {
		return s.send(p)
	}
	done, _ = s.send(p[:len(p)/2]) // however far it came, this is the end
	return done, errSevered
}

// send is write for who has the turn.
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

// put sends as much of p as there is room for. If there is none, it returns what to wait for besides
// room: that the writer knows that there never will be any.
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

// finish sends the end of the stream behind what was written. If the connection is closed with it,
// what a cut holds back is lost, and the reader must not take what it got for all there was.
// It returns when the news of that close arrive.
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

// abandon forgets what the reader has not read, which it never will, and when the writer learns that.
func (s *stream) abandon(learned arrival) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue, s.held = nil, 0
	if s.gone == nil {
		s.gone = &learned
	}
}
