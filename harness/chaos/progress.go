package chaos

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress shows the state of a hunt: one line that is replaced on a terminal, and one line now and then
// elsewhere.
type progress struct {
	to       io.Writer
	terminal bool
	last     time.Time
}

func newProgress(to io.Writer) *progress {
	file, is := to.(*os.File)
	if !is {
		return &progress{to: to}
	}
	info, err := file.Stat()
	return &progress{to: to, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// show shows the state, at most once a second on a terminal and every ten seconds elsewhere.
func (p *progress) show(s *summary) {
	every := 10 * time.Second
	if p.terminal {
		every = time.Second
	}
	if time.Since(p.last) < every {
		return
	}
	p.last = time.Now()
	p.print(s)
}

func (p *progress) print(s *summary) {
	if p.terminal {
		fmt.Fprintf(p.to, "\r\x1b[K%s", s)
	} else {
		fmt.Fprintln(p.to, s)
	}
}

// end leaves the last state.
func (p *progress) end(s *summary) {
	p.print(s)
	if p.terminal {
		fmt.Fprintln(p.to)
	}
}
