package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Bounds of the search for version orders.
const (
	mostChoices     = 1 << 20 // pairs of writers whose order is open
	mostChoiceEdges = 1 << 23
	mostSteps       = 1 << 27 // of one search
)

// openOrders are transactions with writers whose versions may follow one another in
// several ways.
type openOrders interface {
	// known are the dependencies that do not depend on the order, for a level.
	known(l level) *graph
	// writers are, by key, the transactions whose order is open.
	writers() [][]int32
	// readers are the transactions that read the version of one of these.
	readers(key, writer int32) []int32
	// settled are the dependencies in the order of the writers' ranks.
	settled(rank func(transaction int32) int32) *dependencies
	all() []*journal.Event
}

// settle finds the version orders that fit the strongest level, and tells whether
// there are any that fit the level l. The search is exact within its bounds.
func settle(o openOrders, l level) (*dependencies, answer) {
	fits := no
	for _, try := range []level{strictlySerializable, serializable, snapshotIsolation, readCommitted} {
		if l == readCommitted && try != l {
			continue // its search is not hard, so it needs no luck
		}
		rank, found := ranks(o, try)
		if try == l {
			fits = found
		}
		if found != yes {
			continue
		}
		if try.strength >= l.strength {
			fits = yes
		}
		return o.settled(rank), fits
	}
	return o.settled(func(t int32) int32 { return t }), fits
}

// ranks looks for ranks of the transactions by which the version orders fit a level.
func ranks(o openOrders, l level) (func(int32) int32, answer) {
	g, kinds, nodesOf := o.known(l), depends|rw|rt|on, int32(1)
	switch l.shape {
	case without:
		kinds = depends | on
	case separate:
		g, nodesOf = g.apart(kinds), 2
	}
	first, acyclic := g.topological(kinds)
	if !acyclic {
		return nil, no
	}
	rank := func(t int32) int32 { return first[nodesOf*t] }
	if l.shape == without || !l.broken(o.settled(rank).graph(l)) {
		return rank, yes
	}
	p, found := newPolygraph(o, l, g, first)
	if found == yes {
		found = p.solve(p.graph.steps + mostSteps)
	}
	return func(t int32) int32 { return p.graph.rank[nodesOf*t] }, found
}

// newPolygraph is the graph of what is known, with a choice for each pair of writers
// whose order is open. The answer is no if what is known excludes itself, and
// notDecided if there are too many choices.
func newPolygraph(o openOrders, l level, g *graph, rank []int32) (*polygraph, answer) {
	b := &choices{openOrders: o, level: l, p: &polygraph{graph: newAcyclic(g.nodes())}}
	copy(b.p.graph.rank, rank)
	for v := range g.nodes() {
		for _, e := range g.of(v) {
			b.p.graph.add(v, target(e), given)
		}
	}
	for key, writers := range o.writers() {
		if l.realTime {
			b.inTime(int32(key), writers)
		} else {
			b.pairs(int32(key), writers)
		}
		switch {
		case b.impossible:
			return b.p, no
		case b.tooMany():
			return b.p, notDecided
		}
	}
	return b.p, yes
}

// choices collects the choices of a polygraph.
type choices struct {
	openOrders
	level      level
	p          *polygraph
	edges      int
	impossible bool
}

func (b *choices) tooMany() bool { return b.edges > mostChoiceEdges || len(b.p.choices) > mostChoices }

func (b *choices) pairs(key int32, writers []int32) {
	for i, first := range writers {
		if b.tooMany() {
			return
		}
		for _, second := range writers[:i] {
			b.either(key, first, second)
		}
	}
}

// inTime leaves out pairs that real time orders, as it does most.
func (b *choices) inTime(key int32, writers []int32) {
	all := b.all()
	writers = slices.Clone(writers)
	slices.SortFunc(writers, func(v, w int32) int { return beginning(all[v]).compare(beginning(all[w])) })
	for i, first := range writers {
		if b.tooMany() {
			return
		}
		end := ending(all[first])
		var horizon *moment // when the first of those had ended that come after this one
		for _, second := range writers[i+1:] {
			begin := beginning(all[second])
			if horizon != nil && horizon.compare(begin) < 0 {
				break // and so before all others
			}
			if end.compare(begin) >= 0 {
				b.either(key, first, second)
				continue
			}
			for _, e := range b.before(key, first, second) {
				_, ok := b.p.graph.add(e.from, e.to, given)
				b.impossible = b.impossible || !ok
			}
			if after := ending(all[second]); horizon == nil || after.compare(*horizon) < 0 {
				horizon = &after
			}
		}
	}
}

func (b *choices) either(key, first, second int32) {
	b.p.choices = append(b.p.choices, choice{b.before(key, first, second), b.before(key, second, first)})
}

// before are the edges that follow if one version comes before another: its readers
// have not seen the other.
func (b *choices) before(key, first, second int32) []pair {
	edges := b.edge(nil, first, second, ww)
	for _, r := range b.readers(key, first) {
		if r != second {
			edges = b.edge(edges, r, second, rw)
		}
	}
	b.edges += len(edges)
	return edges
}

func (b *choices) edge(edges []pair, from, to int32, k kind) []pair {
	switch {
	case b.level.shape != separate:
		return append(edges, pair{from, to})
	case k == rw:
		return append(edges, pair{2 * from, 2*to + 1})
	}
	return append(edges, pair{2 * from, 2 * to}, pair{2*from + 1, 2 * to})
}
