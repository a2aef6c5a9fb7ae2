package chaos

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rejoin-db/rejoin/harness/report/progress"
)

// display shows the state of a hunt: it tells who asks for progress, and otherwise prints one line that is replaced on a terminal, and
// one line now and then elsewhere.
type display struct {
	to       io.Writer
	terminal bool
	last     time.Time
	said     *progress.Teller
}

func newDisplay(to io.Writer, said *progress.Teller) *display {
	file, is := to.(*os.File)
	if !is {
		return &display{to: to, said: said}
	}
	info, err := file.Stat()
	return &display{to: to, said: said, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// show shows the state after a run: when there is no one to tell, at most once a second on a terminal and every ten seconds elsewhere.
func (p *display) show(s *summary, o *Outcome) {
	if p.said != nil {
		how := progress.Passed
		if o.Failure != nil {
			how = progress.Failed
		}
		p.said.End(1, seedName(o.Schedule.Seed), how, o.Passed)
		p.said.Say(s.brief())
		return
	}
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

func (p *display) print(s *summary) {
	if p.terminal {
		fmt.Fprintf(p.to, "\r\x1b[K%s", s)
	} else {
		fmt.Fprintln(p.to, s)
	}
}

// seedName names the schedule of a seed.
func seedName(seed uint64) string { return fmt.Sprintf("seed %d", seed) }

// end leaves the last state.
func (p *display) end(s *summary) {
	p.print(s)
	if p.terminal {
		fmt.Fprintln(p.to)
	}
}
