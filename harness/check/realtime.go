package check

import (
	"cmp"
	"math"
	"slices"

	"github.com/rejoin-db/rejoin/harness/check/internal/digraph"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// moment is a point in time. Final operations come after all others, whatever their times are.
type moment struct {
	final bool
	at    int64 // nanoseconds since 1970
}

func (m moment) compare(o moment) int {
	switch {
	case m.final == o.final:
		return cmp.Compare(m.at, o.at)
	case o.final:
		return -1
	}
	return 1
}

func beginning(e *journal.Event) moment { return moment{e.Op.Final, e.At.UnixNano()} }

// ending returns when the operation has certainly taken effect. An operation of unknown outcome may
// take effect at any time before the final operations.
func ending(e *journal.Event) moment {
	if e.Op.Outcome == journal.Unknown {
		return moment{e.Op.Final, math.MaxInt64}
	}
	return moment{e.Op.Final, e.End().UnixNano()}
}

// timed tells whether the operation must fit real time: it changes data, or reads the latest state.
func timed(e *journal.Event) bool {
	return e.Op.Changes() || e.Op.Level == journal.Strong || e.Op.Final
}

// inTime adds the edges of real time: a transaction that ended before another began comes before it.
// The ends become a chain of auxiliary vertices, one for each run of ends without a beginning
// between them, so the number of edges is linear in the number of transactions.
func inTime(s *digraph.Sketch, events []*journal.Event, committed []bool) {
	var begins, ends []int32
	for i, e := range events {
		if committed[i] && timed(e) {
			begins, ends = append(begins, int32(i)), append(ends, int32(i))
		}
	}
	slices.SortFunc(begins, func(a, b int32) int { return beginning(events[a]).compare(beginning(events[b])) })
	slices.SortFunc(ends, func(a, b int32) int { return ending(events[a]).compare(ending(events[b])) })
	barrier := int32(-1)
	ended := 0
	for _, t := range begins {
		begin := beginning(events[t])
		if ended < len(ends) && ending(events[ends[ended]]).compare(begin) < 0 {
			next := s.Joint()
			if barrier >= 0 {
				s.Edge(barrier, next, digraph.On)
			}
			barrier = next
		}
		for ; ended < len(ends) && ending(events[ends[ended]]).compare(begin) < 0; ended++ {
			s.Edge(ends[ended], barrier, digraph.RT)
		}
		if barrier >= 0 {
			s.Edge(barrier, t, digraph.On)
		}
	}
}
