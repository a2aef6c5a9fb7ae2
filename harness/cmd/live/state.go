package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/report/progress"
)

// state is how far a command is, by what it has said.
type state struct {
	last  times
	title string
	since time.Time // of the title

	work    *progress.Work // nil before one begins
	begun   time.Time
	said    string
	done    int
	failed  int
	running map[int]part      // by worker
	took    map[string]timing // parts that have ended
	learned times             // of works that are over
}

type part struct {
	text  string
	since time.Time
}

func newState(now time.Time, last times) *state {
	return &state{last: last, since: now, learned: make(times)}
}

// add adds what the command has said.
func (s *state) add(e progress.Event, now time.Time) {
	switch e.Kind {
	case progress.Titled:
		s.over()
		s.title, s.since = e.Text, now
	case progress.Begun:
		s.over()
		s.work, s.begun = e.Work, now
		s.running, s.took = make(map[int]part), make(map[string]timing)
	case progress.Said:
		s.said = e.Text
	case progress.Starts:
		if s.work != nil {
			s.running[e.Worker] = part{e.Text, now}
		}
	case progress.Ends:
		if s.work != nil {
			s.end(e)
		}
	}
}

func (s *state) end(e progress.Event) {
	delete(s.running, e.Worker)
	s.took[e.Text] = timing(e.Took.Seconds())
	s.done++
	if e.Outcome == progress.Failed {
		s.failed++
	}
}

// over forgets the work under way, and keeps how long its parts took.
func (s *state) over() {
	if s.done > 0 && s.work.For == 0 {
		s.learn(*s.work, s.took, s.done >= s.work.All)
	}
	s.work, s.said, s.done, s.failed, s.running, s.took = nil, "", 0, 0, nil, nil
}

// line is the state in words: what is most wanted first, because the end is cut off where the line is too long.
func (s *state) line(now time.Time) line {
	var facts []string
	if s.title != "" {
		facts = append(facts, s.title)
	}
	if s.work == nil {
		what := "compiling"
		if s.said != "" {
			what = s.said
		}
		return line{facts: append(facts, what, short(now.Sub(s.since)))}
	}
	if s.work.All > 0 {
		facts = append(facts, fmt.Sprintf("%d of %d %s", s.done, s.work.All, s.work.Unit))
	} else {
		facts = append(facts, fmt.Sprintf("%d %s", s.done, s.work.Unit))
	}
	l := line{}
	if s.failed > 0 {
		l.failed = len(facts)
		facts = append(facts, fmt.Sprintf("%d failed", s.failed))
	}
	facts = append(facts, short(now.Sub(s.begun)))
	if left, known := s.left(now); known {
		facts = append(facts, left)
	}
	if s.said != "" {
		facts = append(facts, s.said)
	}
	l.facts = facts
	for _, worker := range slices.Sorted(maps.Keys(s.running)) {
		l.running = append(l.running, s.running[worker].text)
	}
	return l
}

// line is what is shown.
type line struct {
	facts   []string
	failed  int // the fact that something has failed, if it is not 0
	running []string
}

func (l line) String() string {
	text := strings.Join(l.facts, " · ")
	if len(l.running) > 0 {
		text += " · now: " + strings.Join(l.running, " | ")
	}
	return text
}

// fit is the line in as many columns at most; those that run share the columns that are left.
func (l line) fit(width int, color bool) string {
	facts := strings.Join(l.facts, " · ")
	if n := len(l.running); n > 0 {
		const before, between, least = " · ", " | ", 8
		free := (width - columns(facts) - len(before) + 1 - len(between)*(n-1)) / n
		var running []string
		for _, text := range l.running {
			if free >= least {
				running = append(running, tail(text, free))
			}
		}
		if len(running) > 0 {
			facts += before + strings.Join(running, between)
		}
	}
	facts = cut(facts, width)
	if l.failed > 0 && color {
		facts = strings.Replace(facts, l.facts[l.failed], "\x1b[31m"+l.facts[l.failed]+"\x1b[39m", 1)
	}
	return facts
}

func columns(text string) int { return len([]rune(text)) }

// cut shortens a text to as many runes.
func cut(text string, most int) string {
	runes := []rune(strings.Map(printable, text))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:max(most-1, 0)]) + "…"
}

// tail is the end of a text, which tells apart what runs, in as many runes.
func tail(text string, most int) string {
	runes := []rune(strings.Map(printable, text))
	if len(runes) <= most {
		return string(runes)
	}
	return "…" + strings.TrimLeft(string(runes[len(runes)-most+1:]), " ")
}

// printable has no character that moves the cursor.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// short is a duration in a few characters.
func short(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
}

func cutLine(text []byte) (line, after []byte, whole bool) {
	return bytes.Cut(text, []byte("\n"))
}
