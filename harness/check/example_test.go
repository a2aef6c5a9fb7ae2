package check_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// A client reads an empty register after a write to it was acknowledged.
func ExampleLinearizable() {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	event := func(at time.Duration, s journal.Step) journal.Event {
		return journal.Event{At: start.Add(at), Took: time.Millisecond, Kind: journal.Operation, Node: journal.None, Op: &journal.Op{
			Client: 1, Outcome: journal.OK, Model: journal.Register, Level: journal.Strong, Steps: []journal.Step{s}}}
	}
	history := []journal.Event{
		event(0, journal.Step{Do: journal.Write, Key: "x", Value: 7}),
		event(5*time.Millisecond, journal.Step{Do: journal.Read, Key: "x", Got: []int64{}}),
	}
	err := check.Linearizable(history)
	violation, broken := errors.AsType[*check.Violation](err)
	fmt.Println(broken, violation.Rule)
	// Output: true not linearizable
}

// A journal in which nothing can be judged proves nothing.
func ExampleAll() {
	fmt.Println(errors.Is(check.All(nil), check.ErrNothing))
	// Output: true
}

// Two of three voters are offline for a second. Changes are refused, which is excused.
func ExampleAvailable() {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	change := func(at time.Duration, outcome journal.Outcome) journal.Event {
		return journal.Event{At: start.Add(at), Took: time.Millisecond, Kind: journal.Operation, Node: 0,
			Op: &journal.Op{Client: 1, Outcome: outcome, Mutates: true}}
	}
	flag := func(at time.Duration, node int, online bool) journal.Event {
		return journal.Event{At: start.Add(at), Kind: journal.Flag, Node: node, Flag: &journal.FlagChange{Online: online}}
	}
	history := []journal.Event{
		{At: start, Kind: journal.Boot, Node: journal.None, Members: &journal.Members{Voters: []int{0, 1, 2}}},
		change(0, journal.OK), flag(10*time.Millisecond, 1, false), flag(10*time.Millisecond, 2, false),
		change(20*time.Millisecond, journal.Failed), flag(time.Second, 1, true), flag(time.Second, 2, true),
		change(time.Second+50*time.Millisecond, journal.OK),
	}
	fmt.Println(check.Available(history, 100*time.Millisecond))
	err := check.Available(history, 10*time.Millisecond)
	first, _, _ := strings.Cut(err.Error(), "\n")
	fmt.Println(first)
	// Output:
	// <nil>
	// not available: no change was acknowledged for 51ms, though clients tried; 10ms is the budget
}
