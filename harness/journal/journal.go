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
	most   int // number of events
	limit  int // bytes, approximately
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

// DefaultSize is the default number of events that a journal keeps. Limit is the number of bytes that
// they may take, approximately.
const (
	DefaultSize = 10_000
	Limit       = 64 << 20
)

// New returns a journal that keeps the latest size events, DefaultSize if size is not positive, in at
// most Limit bytes.
func New(size int) *Journal {
	if size <= 0 {
		size = DefaultSize
	}
	return &Journal{
		most: size, limit: Limit, dropped: make(map[Kind]int), totals: make(map[Kind]int),
		open: make(map[*Open]struct{}), polled: make(map[pollKey]*polled),
	}
}

// Follow calls a function with each event that is recorded from now on, in order, before the recording
// call returns. So another process can have the events of a process that dies. The function must not
// use the journal. Call Follow before the journal is used concurrently.
func (j *Journal) Follow(follow func(Event)) { j.follow = follow }

// Record adds an event. Data that the event points to must not change afterwards.
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
	if e.Differs != nil {
		w += int(unsafe.Sizeof(*e.Differs)) + len(e.Differs.Query)
		for _, a := range e.Differs.Nodes {
			for _, v := range a.Row {
				w += len(v)
			}
		}
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

// FaultID returns a new ID for a fault.
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

// Total returns how many events were recorded, kept or not, except those of some kinds.
func (j *Journal) Total(without ...Kind) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return count(j.totals, without)
}

// Dropped returns how many events were recorded and are no longer kept, except those of some kinds. A
// history with such a gap proves nothing.
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

// Events returns all kept events in the order in which they were recorded, which is the order of their
// ends. Operations that have not ended follow, as
// Unknown, and then the conditions that were polled and have not held.
func (j *Journal) Events() []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]Event, 0, j.kept+len(j.open))
	for i := range j.kept {
		out = append(out, *j.at(i))
	}
	out = append(out, j.underWayLocked()...)
	for _, p := range j.pollsLocked() {
		out = append(out, p.seen())
	}
	return out
}

// Since returns the events that were recorded after the first seen ones and are still kept, in the order in which they were
// recorded, and how many were recorded so far: what to pass the next time. It is for readers who follow a journal at
// their own pace.
func (j *Journal) Since(seen int) (events []Event, recorded int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	recorded = count(j.totals, nil)
	for i := j.kept - min(max(recorded-seen, 0), j.kept); i < j.kept; i++ {
		events = append(events, *j.at(i))
	}
	return events, recorded
}

// UnderWay returns the operations that have not ended, as Unknown and until now, in the order in which they began.
func (j *Journal) UnderWay() []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.underWayLocked()
}

func (j *Journal) underWayLocked() (out []Event) {
	for o := range j.open {
		out = append(out, o.underWay())
	}
	slices.SortFunc(out, func(a, b Event) int { return a.At.Compare(b.At) })
	return out
}

// Last returns the latest n events, except those of some kinds, in the order in which they were
// recorded; all kept events if n is negative.
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
