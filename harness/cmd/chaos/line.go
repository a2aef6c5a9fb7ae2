package main

import (
	"fmt"
	"os"
	"time"

	"github.com/rejoin-db/rejoin/harness/chaos"
)

// line is the progress of a hunt: one line on a terminal, and one now and then
// elsewhere.
type line struct {
	to       *os.File
	terminal bool
	last     time.Time
}

func newLine(to *os.File) *line {
	info, err := to.Stat()
	return &line{to: to, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// show shows how far the hunt is, not more often than is good to read.
func (l *line) show(s *chaos.Summary) {
	every := 10 * time.Second
	if l.terminal {
		every = time.Second
	}
	if time.Since(l.last) < every {
		return
	}
	l.last = time.Now()
	l.print(s)
}

func (l *line) print(s *chaos.Summary) {
	if l.terminal {
		fmt.Fprintf(l.to, "\r\x1b[K%s", s)
	} else {
		fmt.Fprintln(l.to, s)
	}
}

// end leaves the last state.
func (l *line) end(s *chaos.Summary) {
	l.print(s)
	if l.terminal {
		fmt.Fprintln(l.to)
	}
}
