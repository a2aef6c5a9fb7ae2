package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/rejoin-db/rejoin/harness/report/progress"
)

func begin(w progress.Work) progress.Event { return progress.Event{Kind: progress.Begun, Work: &w} }

func start(worker int, part string) progress.Event {
	return progress.Event{Kind: progress.Starts, Worker: worker, Text: part}
}

func end(worker int, part string, how progress.Outcome, took int) progress.Event {
	return progress.Event{Kind: progress.Ends, Worker: worker, Text: part, Outcome: how, Took: time.Duration(took) * time.Second}
}

func TestWhatTheLineSays(t *testing.T) {
	s := newState(at(0), nil)
	see := func(second int, want string) {
		t.Helper()
		if got := s.line(at(second)).String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	see(3, "compiling · 3s")
	s.add(progress.Event{Kind: progress.Said, Text: "the suite without a bug"}, at(4))
	see(4, "the suite without a bug · 4s")
	s.add(begin(progress.Work{Unit: "specs", All: 10}), at(10))
	see(10, "0 of 10 specs · 0s")
	for i := range 4 {
		s.add(start(1+i%2, fmt.Sprint("spec ", i)), at(10+i))
		s.add(end(1+i%2, fmt.Sprint("spec ", i), []progress.Outcome{progress.Passed, progress.Failed, progress.Skipped}[i%3], 1), at(11+i))
	}
	s.add(start(2, "the last"), at(14))
	s.add(start(1, "but one"), at(14))
	see(90, "4 of 10 specs · 1 failed · 1m20s · about 2m00s left · now: but one | the last")
	s.add(progress.Event{Kind: progress.Titled, Text: "dqlite, 1 of 2"}, at(100))
	see(101, "dqlite, 1 of 2 · compiling · 1s")
	s.add(begin(progress.Work{Unit: "schedules", For: time.Hour + time.Minute}), at(200))
	s.add(progress.Event{Kind: progress.Said, Text: "5 operations"}, at(201))
	see(200, "dqlite, 1 of 2 · 0 schedules · 0s · 1h01m left · 5 operations")
	see(200+2*3600, "dqlite, 1 of 2 · 0 schedules · 2h00m · 0s left · 5 operations")
}

func TestTheEndOfWhatRunsIsShown(t *testing.T) {
	l := line{facts: []string{"4 of 10 specs", "2 failed"}, failed: 1, running: []string{"a node that was away comes back", "short"}}
	for _, test := range []struct {
		width int
		color bool
		want  string
	}{
		{60, false, "4 of 10 specs · 2 failed · …way comes back | short"},
		{60, true, "4 of 10 specs · \x1b[31m2 failed\x1b[39m · …way comes back | short"},
		{30, true, "4 of 10 specs · \x1b[31m2 failed\x1b[39m"},
		{10, false, "4 of 10 s…"},
	} {
		if got := l.fit(test.width, test.color); got != test.want {
			t.Errorf("in %d columns %q, want %q", test.width, got, test.want)
		}
	}
	if got := cut("a\nb\x1b[2J", 10); got != "a b [2J" {
		t.Errorf("%q moves the cursor", got)
	}
}

func TestTimesOfTheLastRunTellWhatIsLeft(t *testing.T) {
	last := times{"Rejoin, specs": {"a": 10, "b": 10, "long": 80}}
	work := progress.Work{Name: "Rejoin", Unit: "specs", All: 3}
	s := newState(at(0), last)
	s.add(begin(work), at(0))
	s.add(start(1, "a"), at(0))
	if _, known := s.left(at(0)); known {
		t.Error("known before anything ran")
	}
	s.add(end(1, "a", progress.Passed, 20), at(20)) // half as fast
	if left, known := s.left(at(20)); !known || left != "about 3m00s left" {
		t.Errorf("%q", left)
	}
	s.add(start(1, "long"), at(20))
	if left, _ := s.left(at(60)); left != "about 1m00s left" { // 10 and 40 of 100 took a minute
		t.Errorf("%q", left)
	}
	few := newState(at(0), last)
	few.add(begin(progress.Work{Name: "Rejoin", Unit: "specs", All: 1}), at(0))
	few.add(end(1, "a", progress.Passed, 20), at(20))
	if left, known := few.left(at(20)); known {
		t.Errorf("%q of a run of other specs", left)
	}
}

func TestTimesAreKept(t *testing.T) {
	path := (command{dir: t.TempDir()}).times()
	if got := loadTimes(path); len(got) != 0 {
		t.Fatal(got)
	}
	run := func(w progress.Work, took int, parts ...string) {
		t.Helper()
		last := loadTimes(path)
		s := newState(at(0), last)
		s.add(begin(w), at(0))
		for _, p := range parts {
			s.add(end(1, p, progress.Passed, took), at(1))
		}
		if err := saveTimes(path, last, s); err != nil {
			t.Fatal(err)
		}
	}
	see := func(want string) {
		t.Helper()
		if got := fmt.Sprint(loadTimes(path)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	specs := progress.Work{Name: "Rejoin", Unit: "specs", All: 3}
	run(specs, 1, "a", "b", "c")
	run(specs, 2, "a") // cut short
	see("map[Rejoin, specs:map[a:2 b:1 c:1]]")
	run(progress.Work{Unit: "bugs", All: 1}, 4, "bug")
	run(progress.Work{Unit: "schedules", For: time.Minute}, 4, "seed 1")
	run(specs, 3, "a", "b", "new")
	see("map[Rejoin, specs:map[a:3 b:3 new:3] bugs:map[bug:4]]")
}
