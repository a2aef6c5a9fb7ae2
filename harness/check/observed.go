package check

import (
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Why a rule does not use what an operation read.
const (
	noResult   = "reads of which the result is unknown"
	noLevel    = "reads without a level"
	mayBeStale = "reads of a level that may be stale"
)

// unseen is why what the operation read does not count in real time; empty if it does.
func unobserved(e *journal.Event) string {
	switch {
	case e.Op.Outcome != journal.OK || e.Op.Unread:
		return noResult
	case e.Op.Final || e.Op.Level == journal.Strong:
		return ""
	case e.Op.Level == "":
		return noLevel
	}
	return mayBeStale
}

// reads tells whether any step of the operation is a read.
func reads(e *journal.Event) bool {
	for _, s := range e.Op.Steps {
		if s.Reads() {
			return true
		}
	}
	return false
}

// countUnobserved leaves out of the verdict the reads that do not count.
func (v *Verdict) countUnobserved(events []*journal.Event) {
	for _, e := range events {
		if why := unobserved(e); why != "" && reads(e) && e.Op.Outcome != journal.Failed {
			v.leaveOut(why)
		}
	}
}

// precedes tells whether one operation had ended when the other began. Final operations
// follow all others. What touches overlaps.
func precedes(a, b *journal.Event) bool {
	if a.Op.Final != b.Op.Final {
		return b.Op.Final
	}
	return a.End().Before(b.At)
}

// until is the history up to an end: what had not ended may have taken effect, and
// what had not begun is left out.
func until(events []*journal.Event, last *journal.Event) []*journal.Event {
	var prefix []*journal.Event
	for _, e := range events {
		switch {
		case e == last || !endsAfter(e, last):
			prefix = append(prefix, e)
		case !precedes(last, e) && e.Op.Outcome != journal.Failed:
			open, op := *e, *e.Op
			op.Outcome, op.Unread = journal.Unknown, false
			open.Op = &op
			prefix = append(prefix, &open)
		}
	}
	return prefix
}

func endsAfter(a, b *journal.Event) bool {
	if a.Op.Outcome == journal.Unknown {
		return true
	}
	if a.Op.Final != b.Op.Final {
		return a.Op.Final
	}
	return a.End().After(b.End())
}

// endOfWork is after all that is not final.
var endOfWork = time.Unix(1<<40, 0)
