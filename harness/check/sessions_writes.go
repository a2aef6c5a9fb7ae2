package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// judgeWrites judges the two guarantees that bind the reads of all sessions.
func judgeWrites(h history, v *Verdict, g guarantee) {
	w := sessionWrites{
		history: h, v: v, guarantee: g, removes: h.removes(), orders: newOrders(h), left: mostClocks,
		adds: make(map[place]*sessionWrite), removals: make(map[place]*sessionWrite),
		keys: make(map[place][]*sessionWrite), clients: make(map[int]int),
	}
	w.walk()
	w.registers()
	w.orders.judge(v, g)
}

// sessionWrites knows which other writes a read must show if it shows one: the earlier writes that
// its client had made or read, and transitively theirs. They are "fed" to the client, and a vector
// clock has, for each client, how many of these must be shown.
type sessionWrites struct {
	history
	v         *Verdict
	guarantee guarantee
	removes   removes
	orders    *orders
	adds      map[place]*sessionWrite
	removals  map[place]*sessionWrite
	keys      map[place][]*sessionWrite // of a key, whose place has value 0
	clients   map[int]int               // their places in clocks
	sessions  []clientSession
	left      int // numbers that clocks may still use
}

// mostClocks limits the memory of clocks, in numbers of four bytes.
const mostClocks = 64 << 20

// sessionWrite is an addition or a removal, and what a read that shows it must show.
type sessionWrite struct {
	event  *journal.Event
	place  place
	remove bool
	client int
	clock  clock
	fed    []feeding // the clients that it was fed to
}

// feeding tells that a write was the nth to be fed to a client.
type feeding struct{ client, nth int }

// clientSession has what was fed to a client so far.
type clientSession struct {
	fed    int
	clock  clock
	coming []contribution
	known  map[*sessionWrite]bool
}

// clock has, for each client, how many of the writes that were fed to it must be shown.
type clock []int32

func (c clock) at(client int) int {
	if client < len(c) {
		return int(c[client])
	}
	return 0
}

// merged returns the maximum of two clocks for each client. A clock does not change once it is
// shared.
func (c clock) merged(other clock) clock {
	if len(other) > len(c) {
		c, other = other, c
	}
	out := c
	copied := false
	for i, n := range other {
		if n > out[i] {
			if !copied {
				out, copied = slices.Clone(c), true
			}
			out[i] = n
		}
	}
	return out
}

func (c clock) with(client, n int) clock {
	one := make(clock, client+1)
	one[client] = int32(n)
	return c.merged(one)
}

// readsAndWrites is a moment: the beginning of a write or the end of a read.
type readsAndWrites struct {
	event *journal.Event
	reads bool
}

// walk visits writes at their beginnings and reads at their ends, in the order of time.
func (w *sessionWrites) walk() {
	var moments []readsAndWrites
	for _, e := range w.events {
		if e.Kind != journal.Operation || e.Op.Outcome == journal.Failed || e.Op.Model != journal.Set && e.Op.Model != journal.List {
			continue
		}
		if e.Op.Changes() {
			moments = append(moments, readsAndWrites{e, false})
		}
		if slices.ContainsFunc(e.Op.Steps, func(s journal.Step) bool { return (step{s, e}).knows() }) {
			moments = append(moments, readsAndWrites{e, true})
		}
	}
	slices.SortStableFunc(moments, func(a, b readsAndWrites) int { return a.compare(b) })
	for _, m := range moments {
		if m.reads {
			w.read(m.event)
		} else {
			w.write(m.event)
		}
		if w.left < 0 {
			w.v.undecided("too many clients and writes to track what each has seen")
			return
		}
	}
}

func (m readsAndWrites) compare(o readsAndWrites) int {
	at := func(m readsAndWrites) int64 {
		if m.reads {
			return m.event.End().UnixNano()
		}
		return m.event.At.UnixNano()
	}
	switch a, b := at(m), at(o); {
	case m.event.Op.Final != o.event.Op.Final:
		if o.event.Op.Final {
			return -1
		}
		return 1
	case a < b:
		return -1
	case a > b:
		return 1
	case m.reads != o.reads && o.reads: // a read may show what is written at that moment
		return -1
	case m.reads != o.reads:
		return 1
	}
	return 0
}

// client returns the session of a client, and its place in clocks.
func (w *sessionWrites) client(client int) (*clientSession, int) {
	i, known := w.clients[client]
	if !known {
		i = len(w.sessions)
		w.clients[client] = i
		w.sessions = append(w.sessions, clientSession{known: make(map[*sessionWrite]bool)})
	}
	return &w.sessions[i], i
}

func (w *sessionWrites) feed(c *clientSession, client int, fed *sessionWrite) {
	if c.known[fed] {
		return
	}
	c.known[fed] = true
	c.fed++
	fed.fed = append(fed.fed, feeding{client, c.fed})
	c.clock = c.clock.merged(fed.clock).with(client, c.fed)
	w.left -= len(c.clock)
}

func (w *sessionWrites) write(e *journal.Event) {
	for _, s := range e.Op.Steps {
		if s.Do == journal.Read {
			continue
		}
		made := &sessionWrite{event: e, place: place{e.Op.Model, s.Key, s.Value}, remove: s.Do == journal.Remove, client: -1}
		if made.remove {
			w.removals[made.place] = made
		} else {
			w.adds[made.place] = made
		}
		key := made.place
		key.value = 0
		w.keys[key] = append(w.keys[key], made)
		if e.Op.Client == journal.None {
			continue
		}
		c, client := w.client(e.Op.Client)
		c.coming = settled(c.coming, e)
		made.client, made.clock = client, c.clock
		if w.guarantee == monotonicWrites && e.Op.Outcome == journal.OK {
			c.coming = append(c.coming, contribution{e, func() { w.feed(&w.sessions[client], client, made) }})
		}
	}
}

// read judges all reads of an operation together.
func (w *sessionWrites) read(e *journal.Event) {
	w.v.Judged++
	shown := w.shownBy(e)
	needed := clock(nil)
	for _, made := range shown.writes {
		needed = needed.merged(made.clock)
	}
	w.check(e, shown, needed)
	w.checkOrder(e)
	if w.guarantee != writesFollowReads || e.Op.Client == journal.None || e.Op.Outcome != journal.OK {
		return
	}
	c, client := w.client(e.Op.Client)
	c.coming = settled(c.coming, e)
	seen := shown.writes
	c.coming = append(c.coming, contribution{e, func() {
		for _, made := range seen {
			w.feed(&w.sessions[client], client, made)
		}
	}})
}

// shown is what an operation shows: the values of the keys that it read, and their writes.
type shown struct {
	here   map[place]bool
	keys   map[place]bool // with the value 0
	writes []*sessionWrite
}

func (w *sessionWrites) shownBy(e *journal.Event) *shown {
	found := &shown{here: make(map[place]bool), keys: make(map[place]bool)}
	for _, s := range e.Op.Steps {
		if !(step{s, e}).knows() {
			continue
		}
		found.keys[place{e.Op.Model, s.Key, 0}] = true
		for _, value := range s.Got {
			at := place{e.Op.Model, s.Key, value}
			if found.here[at] {
				continue
			}
			found.here[at] = true
			if made := w.adds[at]; made != nil && made.event != e {
				found.writes = append(found.writes, made)
			}
		}
	}
	return found
}
