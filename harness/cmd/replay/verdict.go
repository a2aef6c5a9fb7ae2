package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/journal/compare"
)

// played is one run.
type played struct {
	failed    bool
	said      string            // what failed, or what became of it
	journals  map[string]*saved // by the names of their files
	decisions string            // the folder with them, if they were written
}

// pair is a journal on both sides; nil where a side has none.
type pair struct{ expected, got *saved }

// sides are what is compared, and what both sides are called.
type sides struct {
	expected, got string
	pairs         []pair // in the order of their names
}

// against are a run's journals beside those of another.
func (p played) against(first played) sides {
	s := sides{expected: "the first run", got: "the second run"}
	names := maps.Clone(first.journals)
	maps.Copy(names, p.journals)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		s.pairs = append(s.pairs, pair{first.journals[name], p.journals[name]})
	}
	return s
}

// beside is the run's only journal beside the one that is expected.
func (p played) beside(expected *saved) sides {
	s := sides{expected: "the failure", got: "this run"}
	if !expected.failed() {
		s.expected = "the journal"
	}
	only := pair{expected: expected}
	for _, j := range p.journals {
		only.got = j
	}
	s.pairs = []pair{only}
	return s
}

// write says how far the sides are the same, and tells whether they are.
func (s sides) write(out io.Writer, context int) (same bool, err error) {
	parted, events := 0, 0
	var passed time.Duration
	for _, p := range s.pairs {
		if p.expected == nil || p.got == nil {
			parted++
			s.missing(out, p)
			continue
		}
		parting, err := compare.Journals(p.expected.events, p.got.events)
		if err != nil {
			return false, err
		}
		if parting == nil {
			events += len(p.got.events)
			passed += lasted(p.got.events)
			continue
		}
		parted++
		if parted > 1 {
			fmt.Fprintf(out, "%s: they part at event %d\n", p.got.name, parting.Index+1)
			continue
		}
		if len(s.pairs) > 1 {
			fmt.Fprintf(out, "%s:\n", p.got.name)
		}
		fmt.Fprint(out, parting.Write(s.expected, s.got, context))
	}
	switch {
	case len(s.pairs) == 0:
		fmt.Fprintln(out, "no journal was written, so nothing was compared")
	case parted > 0 && len(s.pairs) > 1:
		fmt.Fprintf(out, "%d of %d journals are the same\n", len(s.pairs)-parted, len(s.pairs))
	case parted > 0:
	case len(s.pairs) > 1:
		fmt.Fprintf(out, "the same, to the nanosecond: %d journals with %d events in %v of virtual time\n", len(s.pairs), events, passed)
	default:
		fmt.Fprintf(out, "the same, to the nanosecond: %d events in %v of virtual time\n", events, passed)
	}
	return parted == 0 && len(s.pairs) > 0, nil
}

func (s sides) missing(out io.Writer, p pair) {
	if p.got == nil {
		fmt.Fprintf(out, "%s: %s has no journal of it\n", p.expected.name, s.got)
		return
	}
	fmt.Fprintf(out, "%s: %s has no journal of it\n", p.got.name, s.expected)
}

// lasted is how much time passed in the events.
func lasted(events []journal.Event) time.Duration {
	var begun, over time.Time
	for _, e := range events {
		if begun.IsZero() || e.At.Before(begun) {
			begun = e.At
		}
		if e.End().After(over) {
			over = e.End()
		}
	}
	return over.Sub(begun)
}

// code is the exit code.
func code(failed, same bool, expected *saved) int {
	switch {
	case failed:
		return bad
	case same:
		return good
	case expected != nil && expected.failed(): // and it does not fail any more
		return good
	}
	return bad
}
