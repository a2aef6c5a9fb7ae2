package chaos

import (
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// timeline is a journal in words, one line an event, by the time since the first: all faults and everything
// that went wrong, and of the rest the latest, so that there are no more than most events.
func timeline(events []journal.Event, most int) string {
	if len(events) == 0 {
		return "  the journal is empty\n"
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
		func(e journal.Event) bool { return e.Kind == journal.Shown || e.Kind == journal.Role },
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
