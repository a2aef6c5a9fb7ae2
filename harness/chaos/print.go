package chaos

import (
	"fmt"
	"io"
	"strings"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// longest is how many lines of a timeline are printed.
const longest = 120

// Print writes a failure: the command that finds it again, what is broken, the
// smallest schedule with its timeline, and a spec of it for that place.
func Print(w io.Writer, command string, failed, least *Outcome, p Place) error {
	spec, err := Spec(least.Schedule, p)
	if err != nil {
		return fmt.Errorf("print a failure: %w", err)
	}
	var b strings.Builder
	first, _, _ := strings.Cut(failed.Failure.Error(), "\n")
	fmt.Fprintf(&b, "\nFAILED %s\n\nAgain:\n  %s\n\n", first, command)
	fmt.Fprintf(&b, "Shrunk from %d faults to %d:\n%s\n\n%s\n\n", len(failed.Schedule.Faults), len(least.Schedule.Faults), least.Schedule, least.Failure)
	fmt.Fprintf(&b, "What happened:\n%s\n", Timeline(least.Events, longest))
	fmt.Fprintf(&b, "As a spec, which imports Ginkgo, Gomega and\n  %s\n\n%s\n", strings.Join(Imports(spec), "\n  "), spec)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print a failure: %w", err)
	}
	return nil
}

// Timeline is a journal in words, a line an event, by the time since its first: all
// that was done to the cluster and went wrong, and of the rest the end, so that
// there are no more than most lines.
func Timeline(events []journal.Event, most int) string {
	if len(events) == 0 {
		return "  nothing was written down\n"
	}
	begun := events[0].At
	for _, e := range events {
		if e.At.Before(begun) {
			begun = e.At
		}
	}
	shown := telling(events, most)
	var b strings.Builder
	left := 0
	for i, e := range events {
		if !shown[i] {
			left++
			continue
		}
		if left > 0 {
			fmt.Fprintf(&b, "            (%d events)\n", left)
			left = 0
		}
		fmt.Fprintf(&b, "  %9.3fs %s\n", e.At.Sub(begun).Seconds(), clipped(e.String()))
	}
	if left > 0 {
		fmt.Fprintf(&b, "            (%d events)\n", left)
	}
	return b.String()
}

// telling chooses events: by rank, and of one rank the latest.
func telling(events []journal.Event, most int) map[int]bool {
	shown := make(map[int]bool)
	for _, rank := range []func(journal.Event) bool{
		func(e journal.Event) bool { return e.Kind == journal.Check && e.Err != "" },
		func(e journal.Event) bool {
			return e.Kind == journal.Flag || e.Kind == journal.Fault || e.Kind == journal.Member
		},
		func(e journal.Event) bool { return e.Op != nil && len(e.Op.Steps) > 0 },
		func(e journal.Event) bool { return e.Kind == journal.Shown },
		func(e journal.Event) bool { return e.Kind == journal.Operation || e.Kind == journal.Wait },
	} {
		for i := len(events) - 1; i >= 0 && len(shown) < most; i-- {
			if rank(events[i]) {
				shown[i] = true
			}
		}
	}
	return shown
}

func clipped(line string) string {
	const most = 200
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return line
}
