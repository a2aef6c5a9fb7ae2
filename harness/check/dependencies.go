package check

import (
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/check/internal/digraph"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// dependencies are transactions with a version order of each key: the direct
// serialization graph (Adya, "Weak Consistency", PhD thesis, MIT 1999).
type dependencies struct {
	*transactions
	order [][]int32 // by key, the writes in version order; -1 for a version that no transaction wrote
	tail  [][]int32 // by key, ascending, the transactions whose versions come later, in unknown order
}

// sketch returns the edges of the graph, without real time.
func (d *dependencies) sketch() *digraph.Sketch {
	s := digraph.NewSketch(len(d.events), 3*len(d.reads)+len(d.writes)+4*len(d.events))
	for k, order := range d.order {
		before := int32(-1)
		for _, w := range order {
			if w < 0 {
				continue
			}
			by := d.writes[w].by
			if before >= 0 {
				s.Edge(before, by, digraph.WW)
			}
			before = by
		}
		if before >= 0 {
			for _, by := range d.tail[k] {
				s.Edge(before, by, digraph.WW)
			}
		}
	}
	for _, r := range d.reads {
		if w := d.writerBefore(r); w >= 0 {
			s.Edge(w, r.by, digraph.WR)
		}
	}
	fans := make([]digraph.Fan, len(d.keys))
	for k, tail := range d.tail {
		fans[k] = s.Fan(tail)
	}
	for _, r := range d.reads {
		if w := d.writerAfter(r); w >= 0 {
			s.Edge(r.by, w, digraph.RW)
		} else {
			s.Spread(r.by, fans[r.key], digraph.RW)
		}
	}
	return s
}

// writerBefore returns the transaction whose version was read; -1 for the initial version.
func (d *dependencies) writerBefore(r look) int32 {
	for i := r.at - 1; i >= 0; i-- {
		if w := d.order[r.key][i]; w >= 0 {
			return d.writes[w].by
		}
	}
	return -1
}

// writerAfter returns the transaction that overwrote the version that was read; -1 if that is one of
// the tail, or none. A read of an intermediate version counts as a read of the last version of that
// transaction: it is reported on its own.
func (d *dependencies) writerAfter(r look) int32 {
	seen := d.writerBefore(r)
	for _, w := range d.order[r.key][r.at:] {
		if w >= 0 && d.writes[w].by != seen {
			return d.writes[w].by
		}
	}
	return -1
}

// graph returns the graph in which the level forbids cycles.
func (d *dependencies) graph(l level) *digraph.Graph {
	s := d.sketch()
	if l.realTime {
		inTime(s, d.events, d.committed)
	}
	return s.Graph()
}

// sentence explains why one transaction depends on another.
func (d *dependencies) sentence(h digraph.Hop) string {
	a, b := name(h.From), name(h.To)
	if h.Kind == digraph.RT {
		if d.events[h.To].Op.Final && !d.events[h.From].Op.Final {
			return fmt.Sprintf("%s is final, and so began after %s", b, a)
		}
		return fmt.Sprintf("%s had ended when %s began", a, b)
	}
	did, had := "wrote", "had written"
	if d.model == journal.List {
		did, had = "appended", "had appended"
	}
	e := d.explain(h)
	key := d.keys[e.key]
	switch h.Kind {
	case digraph.WW:
		return fmt.Sprintf("%s %s %d to %s after %s %s %d", b, did, e.next, key, a, had, e.value)
	case digraph.WR:
		return fmt.Sprintf("%s read from %s what %s %s, %d", b, key, a, had, e.value)
	default:
		return fmt.Sprintf("%s did not see in %s what %s %s, %d", a, key, b, did, e.next)
	}
}

// evidence is the reason why one transaction depends on another.
type evidence struct {
	key         int32
	value, next int64 // the version that was read or overwritten, and the next one
}

func (d *dependencies) explain(h digraph.Hop) evidence {
	switch h.Kind {
	case digraph.WW:
		return d.overwrite(h.From, h.To)
	case digraph.WR:
		for _, r := range d.readsOf(h.To) {
			if d.writerBefore(r) == h.From {
				return evidence{key: r.key, value: d.valueBefore(r.key, r.at)}
			}
		}
	case digraph.RW:
		for _, r := range d.readsOf(h.From) {
			after := d.writerAfter(r)
			if after == h.To || after < 0 && slices.Contains(d.tail[r.key], h.To) {
				return evidence{key: r.key, next: d.firstAfter(r, h.To)}
			}
		}
	default:
	}
	return evidence{}
}

func (d *dependencies) overwrite(from, to int32) evidence {
	for _, w := range d.writesOf(to) {
		order := d.order[w.key]
		at := w.at
		if at == unplaced {
			at = int32(len(order))
		}
		before := at - 1
		for before >= 0 && order[before] < 0 {
			before--
		}
		if before >= 0 && d.writes[order[before]].by == from {
			return evidence{w.key, d.writes[order[before]].value, w.value}
		}
	}
	return evidence{}
}

func (d *dependencies) valueBefore(key, at int32) int64 {
	for i := at - 1; i >= 0; i-- {
		if w := d.order[key][i]; w >= 0 {
			return d.writes[w].value
		}
	}
	return 0
}

// firstAfter returns the first version of the writer that the read did not see.
func (d *dependencies) firstAfter(r look, writer int32) int64 {
	for _, w := range d.writesOf(writer) {
		if w.key == r.key && (w.at == unplaced || w.at >= r.at) && (d.model == journal.List || w.last) {
			return w.value
		}
	}
	return 0
}
