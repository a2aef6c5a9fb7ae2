package journal

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind is the kind of an event.
type Kind string

const (
	Operation Kind = "operation" // a request and what became of it
	Flag      Kind = "flag"      // the harness wants a node online or offline
	Fault     Kind = "fault"     // something was done to a node or link, or undone
	Wait      Kind = "wait"      // the harness waited for a node
	Check     Kind = "check"     // nodes were compared
	Member    Kind = "member"    // a node was taken into the cluster, or out of it
	Resource  Kind = "resource"  // what a node takes, and how far it lags
	Note      Kind = "note"      // a word of the spec's own
)

// Nobody stands in for a node in events that are about none.
const Nobody = -1

// Event is something that happened.
type Event struct {
	At   time.Time     // when it began; Record takes 0 for now
	Took time.Duration // how long it took; 0 for what takes no time
	Kind Kind
	Node int // index, or Nobody
	Text string
	Err  string // what went wrong; empty if nothing did
}

// String is the event as one line, without its time.
func (e Event) String() string {
	line := string(e.Kind)
	if e.Node != Nobody {
		line += fmt.Sprintf(" node %d", e.Node)
	}
	line += ": " + e.Text
	if e.Took > 0 {
		line += fmt.Sprintf(" (%v)", e.Took.Round(10*time.Microsecond))
	}
	if e.Err != "" {
		line += " -> " + e.Err
	}
	return strings.Join(strings.FieldsFunc(line, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// Journal keeps the latest events. It is safe for concurrent use.
type Journal struct {
	mu     sync.Mutex
	events []Event // a ring once it is full
	next   int
	totals map[Kind]int
}

// DefaultSize is how many events a journal keeps.
const DefaultSize = 10_000

// New returns a journal that keeps the latest size events, DefaultSize if 0.
func New(size int) *Journal {
	if size <= 0 {
		size = DefaultSize
	}
	return &Journal{events: make([]Event, 0, size), totals: make(map[Kind]int)}
}

// Record adds an event.
func (j *Journal) Record(e Event) {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.totals[e.Kind]++
	if len(j.events) < cap(j.events) {
		j.events = append(j.events, e)
		return
	}
	j.events[j.next] = e
	j.next = (j.next + 1) % len(j.events)
}

// Begin returns a function that records the event with the time since Begin
// and the error given to it.
func (j *Journal) Begin(kind Kind, node int, format string, args ...any) (end func(error)) {
	e := Event{At: time.Now(), Kind: kind, Node: node, Text: fmt.Sprintf(format, args...)}
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
	total := 0
	for kind, events := range j.totals {
		if !slices.Contains(without, kind) {
			total += events
		}
	}
	return total
}

// Last returns the latest n events, those of some kinds left out, in the order in
// which they were recorded; all that are kept if n is negative.
func (j *Journal) Last(n int, without ...Kind) []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []Event
	kept := len(j.events)
	for i := kept - 1; i >= 0 && (n < 0 || len(out) < n); i-- {
		if e := j.events[(j.next+i)%kept]; !slices.Contains(without, e.Kind) {
			out = append(out, e)
		}
	}
	slices.Reverse(out)
	return out
}
