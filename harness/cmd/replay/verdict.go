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

// played is the result of one run.
type played struct {
	failed    bool
	said      string            // the failure, or a summary
	journals  map[string]*saved // by file name
	decisions string            // folder with the recorded decisions
}

// pair is a journal on both sides; nil if missing.
type pair struct{ expected, got *saved }

// sides are the journals to compare, and the names of both sides.
type sides struct {
	expected, got string
	pairs         []pair // by name
}

// against pairs the journals of a run with those of the first.
func (p played) against(first played) sides {
	s := sides{expected: "the first run", got: "the second run"}
	names := maps.Clone(first.journals)
	maps.Copy(names, p.journals)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		s.pairs = append(s.pairs, pair{first.journals[name], p.journals[name]})
	}
	return s
}

// beside pairs the run's only journal with the expected one.
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

// write prints how the sides compare, and reports whether they are the same.
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
			fmt.Fprintf(out, "%s: differs from event %d on\n", p.got.name, parting.Index+1)
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
		fmt.Fprintf(out, "%s: %s has no such journal\n", p.expected.name, s.got)
		return
	}
	fmt.Fprintf(out, "%s: %s has no such journal\n", p.got.name, s.expected)
}

// lasted returns the time between the first event and the end of the last.
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

// code returns the exit code.
func code(failed, same bool, expected *saved) int {
	switch {
	case failed:
		return bad
	case same:
		return good
	case expected != nil && expected.failed(): // the failure does not occur
		return good
	}
	return bad
}
