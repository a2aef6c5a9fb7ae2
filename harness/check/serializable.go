package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Serializable judges transactions over lists (journal.List). From what was read it
// infers in which order each list grew, from that which transaction depends on which,
// and looks for cycles (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from
// Experimental Observations", VLDB 2020). What it finds has Adya's names ("Weak
// Consistency", MIT 1999):
//
//	G0        dirty write: transactions overwrite each other
//	G1a       aborted read: what failed was read
//	G1b       intermediate read: of a transaction only a part was read
//	G1c       cyclic information flow
//	G-single  read skew: one transaction saw half of another; lost update, if both read and wrote the same
//	G2        write skew: each has not seen what the other did
//
// The simplest is reported, with its cycle. Reads of every level count, since a state
// that is old is a state all the same.
func Serializable(events []journal.Event) error { return serializableRule.Judge(events).Err() }

// StrictlySerializable is like Serializable; besides, the order must fit time: what
// had ended when something began comes before it. Reads that ask for less than the
// latest are free to be old.
func StrictlySerializable(events []journal.Event) error {
	return strictlySerializableRule.Judge(events).Err()
}

func serializable(h history, strict bool) error {
	operations := h.of(journal.List)
	if !happened(operations) {
		return nothing("no list was read or appended to")
	}
	t, err := readTransactions(h, operations)
	if err != nil {
		return err
	}
	g := t.dependencies()
	if strict {
		g.inTime(t.all)
	}
	return g.anomaly(h, t.all)
}

// transactions are those that may have happened, and what their lists became.
type transactions struct {
	history
	all    []*journal.Event
	writer map[string]map[int64]int // by list and value, which of all; -1 if it failed
	orders map[string][]int64       // how each list grew, as far as anybody saw
}

func readTransactions(h history, operations []*journal.Event) (*transactions, error) {
	t := &transactions{history: h, writer: make(map[string]map[int64]int), orders: make(map[string][]int64)}
	for _, e := range operations {
		at := -1
		if e.Op.Outcome != journal.Failed {
			at = len(t.all)
			t.all = append(t.all, e)
		}
		for _, s := range e.Op.Steps {
			if s.Do != journal.Append {
				continue
			}
			if t.writer[s.Key] == nil {
				t.writer[s.Key] = make(map[int64]int)
			}
			if _, again := t.writer[s.Key][s.Value]; again {
				return nil, fmt.Errorf("%d is appended to %s twice: a history with values that are not unique cannot be judged", s.Value, s.Key)
			}
			t.writer[s.Key][s.Value] = at
		}
	}
	for _, e := range t.all {
		if err := t.readsOf(e); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// readsOf judges what one transaction read by itself, and learns from it how lists grew.
func (t *transactions) readsOf(e *journal.Event) error {
	own := make(map[string][]int64)
	for _, s := range e.Op.Steps {
		if s.Do == journal.Append {
			own[s.Key] = append(own[s.Key], s.Value)
			continue
		}
		if !(step{s, e}).knows() {
			continue
		}
		seen, mine := s.Got, own[s.Key]
		if len(seen) < len(mine) || !slices.Equal(seen[len(seen)-len(mine):], mine) {
			return t.violation("internal", []*journal.Event{e}, "a transaction read %s as %v, and had itself appended %v", s.Key, seen, mine)
		}
		if early := ahead(e, s.Key, seen, mine); len(early) > 0 {
			return t.violation("internal", []*journal.Event{e}, "a transaction read %v from %s before it appended that itself", early, s.Key)
		}
		if err := t.readOf(s.Key, seen, e); err != nil {
			return err
		}
	}
	return nil
}

// ahead are the values that a transaction read before it appended them itself.
func ahead(e *journal.Event, key string, seen, mine []int64) (early []int64) {
	for _, s := range e.Op.Steps {
		if s.Do == journal.Append && s.Key == key && slices.Contains(seen, s.Value) && !slices.Contains(mine, s.Value) {
			early = append(early, s.Value)
		}
	}
	return early
}

func (t *transactions) readOf(key string, seen []int64, by *journal.Event) error {
	there := make(map[int64]bool, len(seen))
	for _, value := range seen {
		writer, known := t.writer[key][value]
		switch {
		case there[value]:
			return t.violation("duplicate", []*journal.Event{by}, "%s holds %d twice", key, value)
		case !known:
			return t.violation("out of nothing", []*journal.Event{by}, "%s holds %d, which nobody ever appended", key, value)
		case writer < 0:
			return t.violation("G1a, aborted read", []*journal.Event{by}, "%d was read from %s, and appending it had failed", value, key)
		}
		there[value] = true
	}
	longest := t.orders[key]
	if len(seen) > len(longest) {
		longest, seen = seen, longest
		t.orders[key] = longest
	}
	if !slices.Equal(longest[:len(seen)], seen) {
		return t.violation("incompatible orders", []*journal.Event{by}, "%s was read in two orders that exclude each other, as %s and %s", key, abridged(longest), abridged(seen))
	}
	return nil
}

func abridged(values []int64) string {
	return journal.Step{Do: journal.Read, Got: values}.String()[len("read  = "):]
}

// dependencies are those that follow from what was read.
func (t *transactions) dependencies() *graph {
	g := newGraph()
	unseen := t.unseen()
	for _, key := range sorted(t.writer) {
		order := t.orders[key]
		for i := 1; i < len(order); i++ {
			g.add(t.writer[key][order[i-1]], t.writer[key][order[i]], ww, key, order[i-1], order[i])
		}
	}
	for reader, e := range t.all {
		appended := make(map[string]int)
		for _, s := range e.Op.Steps {
			if s.Do == journal.Append {
				appended[s.Key]++
			} else if (step{s, e}).knows() {
				seen := s.Got[:len(s.Got)-appended[s.Key]]
				t.readDependencies(g, reader, s.Key, seen)
				if len(seen) == len(t.orders[s.Key]) {
					for _, value := range unseen[s.Key] {
						g.add(reader, t.writer[s.Key][value], rw, s.Key, 0, value)
					}
				}
			}
		}
	}
	return g
}

// unseen are the values that are surely in a list and that nobody ever read: lists
// only grow, so whoever read one came before.
func (t *transactions) unseen() map[string][]int64 {
	unseen := make(map[string][]int64)
	for key, writers := range t.writer {
		for _, value := range sorted(writers) {
			if w := writers[value]; w >= 0 && t.all[w].Op.Outcome == journal.OK && !slices.Contains(t.orders[key], value) {
				unseen[key] = append(unseen[key], value)
			}
		}
	}
	return unseen
}

func (t *transactions) readDependencies(g *graph, reader int, key string, seen []int64) {
	order := t.orders[key]
	if n := len(seen); n > 0 {
		g.add(t.writer[key][seen[n-1]], reader, wr, key, seen[n-1], 0)
	}
	if len(seen) < len(order) {
		next := t.writer[key][order[len(seen)]]
		if n := len(seen); n > 0 && next == t.writer[key][seen[n-1]] && next != reader {
			g.intermediate = append(g.intermediate, edge{from: next, to: reader, kind: wr, key: key, value: seen[n-1], next: order[n]})
		}
		g.add(reader, next, rw, key, 0, order[len(seen)])
	}
}

// sentence is how one transaction depends on another.
func (e edge) sentence() string {
	a, b := name(e.from), name(e.to)
	switch e.kind {
	case ww:
		return fmt.Sprintf("%s appended %d to %s after %s had appended %d", b, e.next, e.key, a, e.value)
	case wr:
		return fmt.Sprintf("%s read from %s what %s had appended, %d", b, e.key, a, e.value)
	case rw:
		return fmt.Sprintf("%s did not see in %s what %s appended, %d", a, e.key, b, e.next)
	}
	return fmt.Sprintf("%s had ended when %s began", a, b)
}

func name(transaction int) string { return fmt.Sprintf("T%d", transaction+1) }

func sentences(cycle []edge) string {
	told := make([]string, len(cycle))
	for i, e := range cycle {
		told[i] = e.sentence()
	}
	return strings.Join(told, "; ")
}
