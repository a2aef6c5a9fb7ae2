package live

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/page"
)

// The bounds of what the timeline has: the latest of each. The journal has more.
const (
	mostOperations = 4000
	mostOthers     = 4000
)

// feed follows the journal, and keeps what the timeline shows: the latest operations, and of all else also what is old and still
// holds, such as a fault in force or the role of a node.
type feed struct {
	journal *journal.Journal

	mu         sync.Mutex
	recorded   int // in the journal, so far
	number     int // of the last event that was kept
	operations []numbered
	others     []numbered
}

// numbered is an event with a number of its own, from 1.
type numbered struct {
	number int
	event  journal.Event
}

func newFeed(j *journal.Journal) *feed { return &feed{journal: j} }

// follow takes what is new in the journal.
func (f *feed) followLocked() {
	events, recorded := f.journal.Since(f.recorded)
	f.recorded = recorded
	for _, e := range events {
		f.number++
		one := numbered{f.number, e}
		if e.Kind == journal.Operation {
			f.operations = append(f.operations, one)
		} else {
			f.others = append(f.others, one)
		}
	}
	f.operations = latest(f.operations, mostOperations)
	if len(f.others) > 2*mostOthers {
		f.others = thinned(f.others)
	}
}

// latest drops the oldest. It makes room for many at once.
func latest(all []numbered, most int) []numbered {
	if len(all) < most+most/4 {
		return all
	}
	return slices.Clone(all[len(all)-most:])
}

// thinned drops old events that nothing that is shown depends on. Of the states that a node reported, the last ones are kept.
func thinned(all []numbered) []numbered {
	type reported struct {
		kind journal.Kind
		node int
	}
	last := make(map[reported]int)
	for i, one := range all {
		last[reported{one.event.Kind, one.event.Node}] = i
	}
	old := len(all) - mostOthers
	kept := make([]numbered, 0, mostOthers+100)
	for i, one := range all {
		switch one.event.Kind {
		case journal.Boot, journal.Flag, journal.Fault, journal.Member, journal.By:
		case journal.Shown, journal.Role:
			if i < old && last[reported{one.event.Kind, one.event.Node}] != i {
				continue
			}
		default:
			if i < old {
				continue
			}
		}
		kept = append(kept, one)
	}
	return kept
}

// Feed is the journal as lanes, until now. Words are sent once: those of an event that is older than the request says are left out.
// Operations that have not ended come last, and have no number yet.
type Feed struct {
	page.Trace
	Numbers []int    `json:"numbers"` // of the events, by index; 0 for none
	Words   []string `json:"words"`   // of the last events
	Lines   []string `json:"lines"`   // of the last events, as a saved journal has them
	Total   int      `json:"total"`   // events recorded
}

// trace returns the lanes. Words are those of events with higher numbers than since.
func (f *feed) trace(since int, now time.Time) (Feed, error) {
	f.mu.Lock()
	f.followLocked()
	all := slices.Concat(f.operations, f.others)
	total := f.recorded
	f.mu.Unlock()
	slices.SortFunc(all, func(a, b numbered) int { return a.number - b.number })
	for _, e := range f.journal.UnderWay() {
		e.Op.Outcome = "" // it has none yet
		all = append(all, numbered{event: e})
	}
	events := make([]journal.Event, len(all))
	shown := Feed{Numbers: make([]int, len(all)), Lines: []string{}, Total: total}
	first := len(all)
	for i, one := range all {
		events[i], shown.Numbers[i] = one.event, one.number
		if one.number > since || one.number == 0 {
			first = min(first, i)
			line, err := json.Marshal(one.event)
			if err != nil {
				return shown, fmt.Errorf("write event %d: %w", one.number, err)
			}
			shown.Lines = append(shown.Lines, string(line))
		}
	}
	shown.Trace = page.NewTraceUntil(events, now)
	shown.Words = slices.Clone(shown.Trace.Words[first:])
	return shown, nil
}

// getTrace answers with the lanes of the journal.
func (p *Page) getTrace(w http.ResponseWriter, r *http.Request) {
	since, err := strconv.Atoi(r.URL.Query().Get("since"))
	if err != nil {
		refuse(w, http.StatusBadRequest, "since must be the number of the last event that is known; 0 for none")
		return
	}
	shown, err := p.feed.trace(since, time.Now())
	if err != nil {
		refuse(w, http.StatusInternalServerError, sentence(err))
		return
	}
	answer(w, http.StatusOK, shown)
}
