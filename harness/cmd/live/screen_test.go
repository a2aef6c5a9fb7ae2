package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// glass is a terminal: it understands what screen writes, and shows what a reader sees.
type glass struct {
	rows         [][]rune
	row, column  int
	kept         [2]int
	width, lines int
	noWrap       bool
}

func newGlass(width, lines int) *glass {
	return &glass{width: width, lines: lines, rows: make([][]rune, lines)}
}

func (g *glass) index() {
	if g.row++; g.row == g.lines {
		g.rows, g.row = append(g.rows[1:], nil), g.lines-1
	}
}

func (g *glass) put(r rune) {
	if g.column == g.width {
		if g.noWrap {
			return
		}
		g.column = 0
		g.index()
	}
	for len(g.rows[g.row]) <= g.column {
		g.rows[g.row] = append(g.rows[g.row], ' ')
	}
	g.rows[g.row][g.column] = r
	g.column++
}

func (g *glass) Write(text []byte) (int, error) {
	all := []rune(string(text))
	for i := 0; i < len(all); i++ {
		switch r := all[i]; r {
		case '\n': // as the line discipline of a terminal has it
			g.column = 0
			g.index()
		case '\r':
			g.column = 0
		case 0x1b:
			i++
			if all[i] != '[' {
				g.escape(all[i])
				continue
			}
			begin := i + 1
			for i++; all[i] < 0x40; i++ {
			}
			g.sequence(string(all[begin : i+1]))
		default:
			g.put(r)
		}
	}
	return len(text), nil
}

func (g *glass) escape(r rune) {
	switch r {
	case 'D':
		g.index()
	case '7':
		g.kept = [2]int{g.row, g.column}
	case '8':
		g.row, g.column = g.kept[0], g.kept[1]
	default:
		panic(fmt.Sprintf("escape %q", r))
	}
}

func (g *glass) sequence(what string) {
	switch {
	case what == "A":
		g.row = max(0, g.row-1)
	case what == "B":
		g.row = min(g.lines-1, g.row+1)
	case what == "J":
		g.rows[g.row] = g.rows[g.row][:min(g.column, len(g.rows[g.row]))]
		clear(g.rows[g.row+1:])
	case what == "?7l":
		g.noWrap = true
	case what == "?7h":
		g.noWrap = false
	case strings.HasSuffix(what, "m"):
	default:
		panic(fmt.Sprintf("sequence %q", what))
	}
}

func (g *glass) String() string {
	var b strings.Builder
	for _, row := range g.rows {
		b.WriteString(strings.TrimRight(string(row), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

func at(seconds int) time.Time { return time.Unix(int64(seconds), 0) }

func says(text string) line { return line{facts: []string{text}} }

func TestTheLineIsBelowTheOutput(t *testing.T) {
	g := newGlass(20, 5)
	s := &screen{out: g, problems: g, shared: true, width: func() int { return 20 }}
	out := s.stdout()
	see := func(what, want string) {
		t.Helper()
		if got := g.String(); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
		}
	}
	s.show(says("compiling"), at(0))
	see("before any output", "compiling")
	fmt.Fprint(out, "Running\n")
	see("at the begin of a line", "Running\ncompiling")
	s.show(says("1 of 9"), at(0))
	fmt.Fprint(out, "•••")
	see("within a line", "Running\n•••\n1 of 9")
	fmt.Fprint(out, "••")
	s.show(says("5 of 9, and what is too wide for it"), at(0))
	see("a line that goes on, and one that is too wide", "Running\n•••••\n5 of 9, and what i…")
	fmt.Fprint(out, "•••••••••••••••")
	see("a line that is full", "Running\n••••••••••••••••••••\n5 of 9, and what i…")
	fmt.Fprint(out, "\none\ntwo\nthree")
	see("at the last row", "••••••••••••••••••••\none\ntwo\nthree\n5 of 9, and what i…")
	s.show(says("short"), at(0))
	see("a line that has become shorter", "••••••••••••••••••••\none\ntwo\nthree\nshort")
	s.show(says("5 of 9, and what is too wide for it"), at(0))
	fmt.Fprint(s.stderr(), " failed\n")
	see("the other output", "••••••••••••••••••••\none\ntwo\nthree failed\n5 of 9, and what i…")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	see("after the end", "••••••••••••••••••••\none\ntwo\nthree failed")
}

func TestCharactersAndSequencesAreNotBroken(t *testing.T) {
	const text = "a•b\x1b[38;5;9mred\x1b[0m–\x1b(B…\x1b"
	for size := 1; size <= len(text); size++ {
		var b bytes.Buffer
		s := &screen{out: &b, width: func() int { return 80 }}
		out := s.stdout()
		s.show(says("here"), at(0))
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			fmt.Fprint(out, rest[:n])
			rest = rest[n:]
		}
		if err := s.end(); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		for _, whole := range []string{"•", "–", "…", "\x1b[38;5;9m", "\x1b[0m", "\x1b(B"} {
			if !strings.Contains(got, whole) {
				t.Errorf("in pieces of %d the line is drawn within %q", size, whole)
			}
		}
		for _, own := range []string{save + noWrap + "here" + wrap + back, below + save + down + noWrap + "here" + wrap + back, erase} {
			got = strings.ReplaceAll(got, own, "")
		}
		if got != text {
			t.Errorf("in pieces of %d: %q", size, got)
		}
	}
}

func TestWithoutATerminalTheLineIsPrintedSeldom(t *testing.T) {
	var out, problems bytes.Buffer
	s := &screen{out: &out, problems: &problems}
	for second := range 100 {
		s.show(says(fmt.Sprint(second, " of 100")), at(second))
		fmt.Fprint(s.stdout(), ".")
		if second == 40 {
			fmt.Fprint(s.stdout(), "\n")
		}
	}
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	if got, want := problems.String(), "\n30 of 100\n\n60 of 100\n\n90 of 100\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := out.String(); got != strings.Repeat(".", 41)+"\n"+strings.Repeat(".", 59) {
		t.Errorf("the output is %q", got)
	}
}
