package journal

import (
	"fmt"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// Journal keeps the latest events. It is safe for concurrent use.
type Journal struct {
	most   int // events
	limit  int // bytes, about
	follow func(Event)

	mu      sync.Mutex
	ring    []Event
	head    int // the oldest
	kept    int
	bytes   int
	dropped map[Kind]int
	totals  map[Kind]int
	open    map[*Open]struct{}
	polled  map[pollKey]*polled // conditions that have not held
	polls   int                 // how many there were
	faults  uint64              // the last ID of a fault
	booted  *BootInfo           // of the first cluster
}

// DefaultSize is how many events a journal keeps, and Limit how many bytes they may
// take, about.
const (
	DefaultSize = 10_000
	Limit       = 64 << 20
)

// New returns a journal that keeps the latest size events, DefaultSize if 0, and no
// more than Limit of them.
func New(size int) *Journal {
	if size <= 0 {
		size = DefaultSize
	}
	return &Journal{
		most: size, limit: Limit, dropped: make(map[Kind]int), totals: make(map[Kind]int),
		open: make(map[*Open]struct{}), polled: make(map[pollKey]*polled),
	}
}

// Follow calls a function with each event from now on, in order, and before the recording
// call returns, so that another process knows what a process that dies has recorded. The
// function must not use the journal. Call Follow before others use the journal.
func (j *Journal) Follow(follow func(Event)) { j.follow = follow }

// Record adds an event. It copies nothing that the event points to, which must not
// change any more.
func (j *Journal) Record(e Event) {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.recordLocked(e)
}

func (j *Journal) recordLocked(e Event) {
	if j.follow != nil {
		j.follow(e)
	}
	if j.booted == nil && e.Boot != nil && e.Err == "" {
		j.booted = e.Boot
	}
	j.totals[e.Kind]++
	j.bytes += weight(&e)
	if j.kept == j.most {
		j.dropLocked()
	}
	if j.kept == len(j.ring) {
		j.growLocked()
	}
	j.kept++
	*j.at(j.kept - 1) = e
	for j.bytes > j.limit && j.kept > 1 {
		j.dropLocked()
	}
}

// at returns the event at that place, of which 0 is the oldest.
func (j *Journal) at(i int) *Event { return &j.ring[(j.head+i)%len(j.ring)] }

// dropLocked drops the oldest event.
func (j *Journal) dropLocked() {
	e := &j.ring[j.head]
	j.bytes -= weight(e)
	j.dropped[e.Kind]++
	*e = Event{}
	j.head = (j.head + 1) % len(j.ring)
	j.kept--
}

func (j *Journal) growLocked() {
	larger := make([]Event, min(max(2*len(j.ring), 64), j.most))
	n := copy(larger, j.ring[j.head:])
	copy(larger[n:], j.ring[:j.head])
	j.ring, j.head = larger, 0
}

// weight estimates how many bytes the event takes.
func weight(e *Event) int {
	w := int(unsafe.Sizeof(*e)) + len(e.Text) + len(e.Err)
	if e.Op != nil {
		w += int(unsafe.Sizeof(*e.Op)) + len(e.Op.ID)
		for _, s := range e.Op.Steps {
			w += int(unsafe.Sizeof(s)) + 8*len(s.Got)
		}
	}
	if e.State != nil {
		w += int(unsafe.Sizeof(*e.State)) + len(e.State.Digest)
	}
	if e.Fault != nil {
		w += int(unsafe.Sizeof(*e.Fault)) + int(unsafe.Sizeof(fault.Link{}))*len(e.Fault.Links) + 8*len(e.Fault.Ended)
	}
	if e.Sample != nil {
		w += int(unsafe.Sizeof(*e.Sample))
	}
	if e.Poll != nil {
		w += int(unsafe.Sizeof(*e.Poll)) + len(e.Poll.Condition) + len(e.Poll.First) + len(e.Poll.Last)
	}
	return w
}

// Begin returns a function that records the event with the time since Begin
// and the error given to it.
func (j *Journal) Begin(kind Kind, node int, format string, args ...any) (end func(error)) {
	return j.BeginEvent(Event{Kind: kind, Node: node, Text: fmt.Sprintf(format, args...)})
}

// FaultID returns a new ID for a fault of the journal's.
func (j *Journal) FaultID() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.faults++
	return j.faults
}

// BeginEvent is Begin for an event with more fields.
func (j *Journal) BeginEvent(e Event) (end func(error)) {
	e.At = time.Now()
	return func(err error) {
		e.Took = time.Since(e.At)
		if err != nil {
			e.Err = err.Error()
		}
		j.Record(e)
	}
}

// Total is how many events were recorded, kept or not, those of some kinds left out.
func (j *Journal) Total(without ...Kind) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return count(j.totals, without)
}

// Dropped is how many events were recorded and are not kept any more, those of
// some kinds left out. A history with such a gap proves nothing.
func (j *Journal) Dropped(without ...Kind) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return count(j.dropped, without)
}

func count(by map[Kind]int, without []Kind) int {
	n := 0
	for kind, events := range by {
		if !slices.Contains(without, kind) {
			n += events
		}
	}
	return n
}

// Events returns all events that are kept, in the order in which they were
// recorded, which is that in which they ended. Operations that have not ended follow, as
// Unknown, and then the conditions that were polled and have not held.
func (j *Journal) Events() []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]Event, 0, j.kept+len(j.open))
	for i := range j.kept {
		out = append(out, *j.at(i))
	}
	ended := len(out)
	for o := range j.open {
		out = append(out, o.underWay())
	}
	slices.SortFunc(out[ended:], func(a, b Event) int { return a.At.Compare(b.At) })
	for _, p := range j.pollsLocked() {
		out = append(out, p.seen())
	}
	return out
}

// Last returns the latest n events, those of some kinds left out, in the order in
// which they were recorded; all that are kept if n is negative.
func (j *Journal) Last(n int, without ...Kind) []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []Event
	for i := j.kept - 1; i >= 0 && (n < 0 || len(out) < n); i-- {
		if e := *j.at(i); !slices.Contains(without, e.Kind) {
			out = append(out, e)
		}
	}
	slices.Reverse(out)
	return out
}
