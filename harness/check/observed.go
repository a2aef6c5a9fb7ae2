package check

import (
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// The reasons for which a rule ignores the result of a read.
const (
	noResult   = "reads with an unknown result"
	noLevel    = "reads without a level"
	mayBeStale = "reads at a level that may be stale"
)

// unobserved returns why the reads of an operation need not fit real time; empty if they must.
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

// countUnobserved counts the reads that need not fit real time as left out.
func (v *Verdict) countUnobserved(events []*journal.Event) {
	for _, e := range events {
		if why := unobserved(e); why != "" && reads(e) && e.Op.Outcome != journal.Failed {
			v.leaveOut(why)
		}
	}
}

// precedes tells whether one operation ended before the other began. Final operations come after all
// others. Operations that share an instant are concurrent.
func precedes(a, b *journal.Event) bool {
	if a.Op.Final != b.Op.Final {
		return b.Op.Final
	}
	return a.End().Before(b.At)
}

// until returns the history up to the end of an event: operations in progress then may have taken
// effect, and later ones are left out.
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

// endOfWork is later than all operations that are not final.
var endOfWork = time.Unix(1<<40, 0)
