package page

import (
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Trace is a journal as lanes over time. All times are nanoseconds since Begin. Events are named by their index in the journal.
type Trace struct {
	Begin   time.Time `json:"begin"`
	Length  int64     `json:"length"`
	At      []int64   `json:"at"`    // of each event
	Took    []int64   `json:"took"`  // of each event
	Words   []string  `json:"words"` // of each event
	Steps   []Span    `json:"steps"` // each until the next one
	Nodes   []Node    `json:"nodes"`
	Faults  []Lane    `json:"faults"` // of links, disks, clocks and data
	Clients []Lane    `json:"clients"`
	Waits   []Lane    `json:"waits"`
	// Failed is when the spec failed, or -1.
	Failed   int64     `json:"failed"`
	Verdicts []Verdict `json:"verdicts"`
	// Messages are the latest messages between nodes, in order; few targets tell them.
	Messages []Message `json:"messages,omitempty"`
	// Differs are the last differences that checks found, at most mostDiffers.
	Differs []Differs `json:"differs,omitempty"`
}

// Message is a call from one node to another.
type Message struct {
	Event int  `json:"event"`
	From  int  `json:"from"`
	To    int  `json:"to"`
	Lost  bool `json:"lost,omitempty"` // no answer came
}

// Differs is a difference between nodes, and the event that tells of it.
type Differs struct {
	Event int `json:"event"`
	journal.Difference
}

const mostDiffers = 20

// Span is something that lasted, or that happened at a moment if From is To.
type Span struct {
	From  int64  `json:"from"`
	To    int64  `json:"to"`
	Event int    `json:"event"`          // that began it
	Is    string `json:"is"`             // such as "online", "leader", "crash" or "ok"
	Text  string `json:"text,omitempty"` // for people
}

// Lane is a row of the timeline. Its spans are in order and do not overlap.
type Lane struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"` // "link", "disk", "clock", "data"; "client"; "wait", "poll"
	Spans []Span `json:"spans"`
}

// Node is what happened to a node.
type Node struct {
	Index   int     `json:"index"`
	Health  []Span  `json:"health"` // Is is the health
	Roles   []Span  `json:"roles"`  // Is is the role, Text the term and the leader
	Away    []Span  `json:"away"`   // Is is the failure mode
	Marks   []Span  `json:"marks"`  // Is is "restart", "wipe", "joined", "removed", "compacted" or "compared"
	Samples Samples `json:"samples"`
}

// Samples are a node's progress and use of resources over time, a value a sample in each list.
type Samples struct {
	At      []int64  `json:"at"`
	Applied []uint64 `json:"applied"`
	Behind  []uint64 `json:"behind"`
	Log     []uint64 `json:"log"`
	Memory  []uint64 `json:"memory"`
}

// NewTrace makes lanes of a journal's events. It does not judge them: see Judge.
func NewTrace(events []journal.Event) Trace { return NewTraceUntil(events, time.Time{}) }

// NewTraceUntil is NewTrace for a journal that goes on: what is not over lasts until now, if that is after the last event.
func NewTraceUntil(events []journal.Event, now time.Time) Trace {
	t := Trace{Failed: -1, Faults: []Lane{}, Waits: []Lane{}, Verdicts: []Verdict{}}
	if len(events) == 0 {
		return t
	}
	t.Begin = slices.MinFunc(events, func(a, b journal.Event) int { return a.At.Compare(b.At) }).At
	for i, e := range events {
		at := e.At.Sub(t.Begin).Nanoseconds()
		if e.Differs != nil {
			t.Differs = append(t.Differs[max(0, len(t.Differs)-mostDiffers+1):], Differs{i, *e.Differs})
		}
		t.At, t.Took, t.Words = append(t.At, at), append(t.Took, int64(e.Took)), append(t.Words, e.String())
		t.Length = max(t.Length, at+int64(e.Took))
		if e.Spec != nil && e.Spec.State != "" && e.Spec.State != journal.Passed && e.Err != "" {
			t.Failed = at
		}
	}
	t.Length = max(t.Length, now.Sub(t.Begin).Nanoseconds())
	order := t.inOrder(events)
	for _, e := range order {
		if e.Kind == journal.Message && e.To != nil {
			t.Messages = append(t.Messages, Message{Event: e.index, From: e.Node, To: e.To.Node, Lost: e.Err != ""})
		}
	}
	t.Steps = t.steps(order)
	t.Nodes = t.nodes(order)
	t.Faults = t.faults(order)
	t.Clients = t.clients(order)
	t.Waits = t.waits(order)
	return t
}

// moment is an event with its place in the trace.
type moment struct {
	*journal.Event
	index    int
	from, to int64
}

// inOrder returns the events in the order in which they began.
func (t *Trace) inOrder(events []journal.Event) []moment {
	order := make([]moment, len(events))
	for i := range events {
		order[i] = moment{&events[i], i, t.At[i], t.At[i] + t.Took[i]}
	}
	slices.SortStableFunc(order, func(a, b moment) int { return a.At.Compare(b.At) })
	return order
}

func (t *Trace) steps(order []moment) []Span {
	steps := []Span{}
	for _, e := range order {
		if e.Kind != journal.By {
			continue
		}
		if n := len(steps); n > 0 {
			steps[n-1].To = e.from
		}
		steps = append(steps, Span{From: e.from, To: t.Length, Event: e.index, Is: "step", Text: e.Text})
	}
	return steps
}

// waits are the waits of the harness, and the conditions that were polled and did not hold.
func (t *Trace) waits(order []moment) []Lane {
	waits, polls := lanes{name: "waits", kind: "wait"}, lanes{name: "polls", kind: "poll"}
	for _, e := range order {
		switch {
		case e.Kind == journal.Wait:
			waits.add(Span{From: e.from, To: e.to, Event: e.index, Is: outcome(e.Err), Text: e.Event.Text})
		case e.Poll != nil:
			is := "failed"
			if e.Poll.Held {
				is = "ok"
			}
			polls.add(Span{From: e.from, To: e.to, Event: e.index, Is: is, Text: e.Poll.Condition})
		}
	}
	return append(waits.all(), polls.all()...)
}

func outcome(err string) string {
	if err != "" {
		return "failed"
	}
	return "ok"
}

// lanes puts spans that overlap into several lanes of one name.
type lanes struct {
	name, kind string
	rows       [][]Span
}

func (l *lanes) add(s Span) {
	for i, row := range l.rows {
		if row[len(row)-1].To <= s.From {
			l.rows[i] = append(row, s)
			return
		}
	}
	l.rows = append(l.rows, []Span{s})
}

func (l *lanes) all() []Lane {
	all := make([]Lane, 0, len(l.rows))
	for _, row := range l.rows {
		all = append(all, Lane{Name: l.name, Kind: l.kind, Spans: row})
	}
	return all
}
