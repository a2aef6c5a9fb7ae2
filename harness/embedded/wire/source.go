package wire

import (
	"fmt"
	"io"
)

const (
	firstBuffer = 4 << 10 // enough for most answers
	laterBuffer = 64 << 10
)

// source buffers the received part of an answer that is not consumed yet.
type source struct {
	in  io.Reader
	buf []byte
	at  int // buf[at:end] is not consumed yet
	end int
}

// more reads at least one more byte. It may move the unconsumed part. The buffer grows by
// doubling, so that its size is bounded by the amount received.
func (s *source) more() error {
	if s.end == len(s.buf) {
		unused := s.buf[s.at:s.end]
		if len(s.buf) < laterBuffer || s.at == 0 {
			s.buf = make([]byte, nextSize(len(s.buf)))
		}
		s.at, s.end = 0, copy(s.buf, unused)
	}
	for range 100 {
		n, err := s.in.Read(s.buf[s.end:])
		s.end += n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

func nextSize(size int) int {
	switch {
	case size == 0:
		return firstBuffer
	case size < laterBuffer:
		return laterBuffer
	default:
		return 2 * size
	}
}

// peek skips white space and returns the next byte.
func (s *source) peek() (byte, error) {
	if s.at < s.end {
		if c := s.buf[s.at]; kinds[c] != blank {
			return c, nil
		}
	}
	return s.peekFar()
}

func (s *source) peekFar() (byte, error) {
	for {
		for ; s.at < s.end; s.at++ {
			if c := s.buf[s.at]; kinds[c] != blank {
				return c, nil
			}
		}
		if err := s.more(); err != nil {
			return 0, err
		}
	}
}

// take skips white space and consumes the byte c. Another byte is an error.
func (s *source) take(c byte) error {
	switch got, err := s.peek(); {
	case err != nil:
		return err
	case got != c:
		return fmt.Errorf("%w: expected %q, found %s", ErrMalformed, c, quoted(s.buf[s.at:s.end]))
	}
	s.at++
	return nil
}

// value consumes the JSON value that begins at s.at, which may have at most limit bytes, and
// returns whether it contains white space. The value stays in the buffer until the next read.
func (s *source) value(limit int) (raw []byte, spaced bool, err error) {
	var find scan
	for {
		b := s.buf[s.at:s.end]
		done, err := find.run(b)
		switch {
		case err != nil:
			return nil, false, fmt.Errorf("%w: %w", ErrMalformed, err)
		case find.n > limit:
			return nil, false, fmt.Errorf("%w of %d bytes", ErrTooLarge, limit)
		case done:
			s.at += find.n
			return b[:find.n:find.n], find.spaced, nil
		}
		if err := s.more(); err != nil {
			return nil, false, err
		}
	}
}
