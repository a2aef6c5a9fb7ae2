package wire

import (
	"fmt"
	"io"
)

const (
	firstBuffer = 4 << 10 // enough for most answers
	laterBuffer = 64 << 10
)

// source is what has been received of an answer and not yet been used.
type source struct {
	in  io.Reader
	buf []byte
	at  int // buf[at:end] is unused
	end int
}

// more receives at least one byte more. It may move what is unused, and gives
// it room by doubling, so that room is bounded by what was in fact received.
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

// peek passes over white space and returns the byte behind it.
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

// take uses up the byte c, after white space.
func (s *source) take(c byte) error {
	switch got, err := s.peek(); {
	case err != nil:
		return err
	case got != c:
		return fmt.Errorf("%w: %s where %q was due", ErrMalformed, quoted(s.buf[s.at:s.end]), c)
	}
	s.at++
	return nil
}

// value uses up the JSON value that begins right here, which takes at most
// limit bytes, and reports whether there is white space in it. The value is in
// the buffer, until more is received.
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
