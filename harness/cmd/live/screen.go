package main

import (
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"
)

// screen is where the command prints and the line is shown. It is safe for concurrent use.
type screen struct {
	out, problems io.Writer
	color         bool
	width         func() int // of the terminal; nil if out is none
	shared        bool       // problems is the same terminal

	mu     sync.Mutex
	middle bool      // the last line that was printed has no end yet
	drawn  string    // how the line was drawn last; empty if it is not there
	noted  time.Time // when the line was printed last, without a terminal
	all    []*output
}

// seldom is how long the line stays away where it cannot be drawn in place.
const seldom = 30 * time.Second

// What moves the cursor, as all terminals since the VT100 understand.
const (
	below  = "\x1bD\x1b[A" // makes room for a line below the cursor
	save   = "\x1b7"
	down   = "\x1b[B\r"
	back   = "\x1b8"
	erase  = "\x1b[J"   // from the cursor to the end of the screen
	noWrap = "\x1b[?7l" // a line that is too wide is cut off
	wrap   = "\x1b[?7h"
)

// show shows the line, if there is something new in it.
func (s *screen) show(l line, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.width == nil {
		s.note(l, now)
		return
	}
	if text := l.fit(s.width()-1, s.color); text != s.drawn {
		s.drawn = text
		_, _ = io.WriteString(s.out, erase+s.drawing()) // a terminal that is gone ends the command, too
	}
}

// note prints the line if it was not printed for long.
func (s *screen) note(l line, now time.Time) {
	if s.noted.IsZero() {
		s.noted = now
	}
	if now.Sub(s.noted) < seldom {
		return
	}
	s.noted = now
	begin := ""
	if s.middle {
		begin, s.middle = "\n", false
	}
	fmt.Fprintf(s.problems, "%s%s\n", begin, l)
}

// drawing draws the line below the text, or in place of it where its last line is empty, and comes back.
func (s *screen) drawing() string {
	if s.drawn == "" {
		return ""
	}
	if s.middle {
		return below + save + down + noWrap + s.drawn + wrap + back
	}
	return save + noWrap + s.drawn + wrap + back
}

// end removes the line, when the command prints no more.
func (s *screen) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn == "" {
		return nil
	}
	s.drawn = ""
	rest := []byte(erase)
	for _, o := range s.all {
		rest = append(rest, o.half...)
	}
	_, err := s.out.Write(rest)
	return err
}

// stdout and stderr are for the output of the command.
func (s *screen) stdout() io.Writer { return s.output(&output{screen: s, to: s.out, above: true}) }

func (s *screen) stderr() io.Writer {
	if s.width != nil && s.shared {
		return s.output(&output{screen: s, to: s.out, above: true})
	}
	return s.output(&output{screen: s, to: s.problems})
}

func (s *screen) output(o *output) io.Writer {
	s.all = append(s.all, o)
	return o
}

// output is one of the outputs of the command.
type output struct {
	*screen
	to    io.Writer
	above bool   // it is printed where the line is
	half  []byte // the beginning of a character or of an escape sequence, which the line must not break
}

func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.above || o.width == nil {
		if o.above && len(text) > 0 {
			o.middle = text[len(text)-1] != '\n'
		}
		return o.to.Write(text)
	}
	all := append(o.half, text...)
	whole := unbroken(all)
	o.half = append([]byte(nil), all[whole:]...)
	if whole == 0 {
		return len(text), nil
	}
	o.middle = all[whole-1] != '\n'
	printed := append([]byte(nil), all[:whole]...)
	if o.drawn != "" {
		printed = append(append([]byte(erase), printed...), o.drawing()...)
	}
	if _, err := o.to.Write(printed); err != nil {
		return 0, err
	}
	return len(text), nil
}

// unbroken is how much of the text ends neither within a character nor within an escape sequence.
func unbroken(text []byte) int {
	const longest = 64 // longer ones are none
	for i := len(text) - 1; i >= 0 && i > len(text)-longest; i-- {
		if text[i] == 0x1b {
			if !complete(text[i:]) {
				return i
			}
			break
		}
	}
	for i := len(text) - 1; i >= 0 && i > len(text)-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				return i
			}
			break
		}
	}
	return len(text)
}

// complete tells whether an escape sequence has its end: ESC [ parameters letter, or ESC intermediates letter.
func complete(sequence []byte) bool {
	if len(sequence) < 2 {
		return false
	}
	if sequence[1] != '[' { // such as ESC ( B, a set of characters
		last := sequence[len(sequence)-1]
		return last < ' ' || last > '/'
	}
	for _, b := range sequence[2:] {
		if b >= 0x40 && b <= 0x7e {
			return true
		}
	}
	return false
}
