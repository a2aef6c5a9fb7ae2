package compare

import (
	"fmt"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Write describes the difference between the journals nameA and nameB: the fields, as many equal events
// before it as context says, and as many events of each journal from there on. Times are since the
// first event.
func (p *Parting) Write(nameA, nameB string, context int) string {
	var b strings.Builder
	begun := first(p.A, p.B)
	fmt.Fprintf(&b, "The journals part at event %d, %v into the run, of %d events (%s) and %d (%s).\n",
		p.Index+1, p.at().Sub(begun), len(p.A), nameA, len(p.B), nameB)
	switch {
	case p.Index >= len(p.A):
		fmt.Fprintf(&b, "There %s has ended.\n", nameA)
	case p.Index >= len(p.B):
		fmt.Fprintf(&b, "There %s has ended.\n", nameB)
	}
	for _, f := range p.Fields {
		fmt.Fprintf(&b, "  %s: %s (%s), %s (%s)\n", f.Name, clipped(or(f.A)), nameA, clipped(or(f.B)), nameB)
	}
	b.WriteString("\n  both:\n")
	if p.Index == 0 {
		b.WriteString("    nothing\n")
	}
	write(&b, p.A, max(p.Index-context, 0), p.Index, begun)
	for _, side := range []struct {
		name   string
		events []journal.Event
	}{{nameA, p.A}, {nameB, p.B}} {
		fmt.Fprintf(&b, "  %s:\n", side.name)
		if p.Index >= len(side.events) {
			b.WriteString("    nothing more\n")
		}
		write(&b, side.events, p.Index, min(p.Index+max(context, 1), len(side.events)), begun)
	}
	return b.String()
}

// write writes events with their beginnings and durations, to the nanosecond.
func write(b *strings.Builder, events []journal.Event, from, to int, begun time.Time) {
	for i := min(from, len(events)); i < min(to, len(events)); i++ {
		e := events[i]
		took := ""
		if e.Took > 0 {
			took = fmt.Sprintf(" [%v]", e.Took)
		}
		e.Took = 0
		fmt.Fprintf(b, "    %14.9fs%s %s\n", e.At.Sub(begun).Seconds(), took, clipped(e.String()))
	}
}

// at returns the earlier time of the two differing events.
func (p *Parting) at() time.Time {
	var at time.Time
	for _, events := range [][]journal.Event{p.A, p.B} {
		if p.Index < len(events) && (at.IsZero() || events[p.Index].At.Before(at)) {
			at = events[p.Index].At
		}
	}
	return at
}

// first returns the beginning of the earliest event of both.
func first(journals ...[]journal.Event) time.Time {
	var begun time.Time
	for _, events := range journals {
		for _, e := range events {
			if begun.IsZero() || e.At.Before(begun) {
				begun = e.At
			}
		}
	}
	return begun
}

func or(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func clipped(text string) string {
	const most = 300
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
