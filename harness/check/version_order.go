package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/check/internal/digraph"
	"github.com/rejoin-db/rejoin/harness/check/internal/polygraph"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// The bounds of the search for version orders.
const (
	mostChoices     = 1 << 20 // pairs of writers whose order is unknown
	mostChoiceEdges = 1 << 23
	mostSteps       = 1 << 27 // of one search
)

// openOrders are transactions with writers whose version order is unknown.
type openOrders interface {
	// known returns the dependencies that hold in every order, for a level.
	known(l level) *digraph.Graph
	// writers has, by key, the transactions whose order is unknown.
	writers() [][]int32
	// readers returns the transactions that read a version of one of these.
	readers(key, writer int32) []int32
	// settled returns the dependencies for the order of the ranking.
	settled(ranking) *dependencies
	all() []*journal.Event
}

// ranking has the place of each transaction in an order.
type ranking func(transaction int32) int32

// settle finds version orders that fit the strongest level possible, and tells whether any fit the
// level l. The search is exact within its bounds. If no order fits, it returns one that contradicts
// few dependencies.
func settle(o openOrders, l level) (*dependencies, polygraph.Answer) {
	tries := []level{strictlySerializable, serializable, snapshotIsolation}
	if l == readCommitted {
		tries = []level{readCommitted} // whose order needs no search
	}
	var best ranking
	fits := polygraph.No
	for _, try := range tries {
		rank, found := rankings(o, try)
		if found == polygraph.Yes {
			if try.strength >= l.strength {
				fits = polygraph.Yes
			}
			return o.settled(rank), fits
		}
		if try == l {
			best, fits = rank, found
		}
	}
	return o.settled(best), fits
}

// rankings searches for a ranking whose version orders fit a level. It tries the order in which the
// transactions began first.
func rankings(o openOrders, l level) (ranking, polygraph.Answer) {
	g, nodesOf := o.known(l), int32(1)
	if l.shape == digraph.Separate {
		g, nodesOf = g.Apart(), 2
	}
	first, acyclic := g.Topological(l.kinds())
	rank := func(t int32) int32 { return first[nodesOf*t] }
	if l.shape == digraph.Without || acyclic && !l.broken(o.settled(rank).graph(l)) {
		return rank, answerOf(acyclic)
	}
	p, few := newPolygraph(o, l, g, first)
	switch {
	case few:
		found := p.Solve(mostSteps)
		if !acyclic {
			found = polygraph.No
		}
		return func(t int32) int32 { return p.Rank(nodesOf * t) }, found
	case acyclic:
		return rank, polygraph.Undecided
	}
	return rank, polygraph.No
}

func answerOf(yes bool) polygraph.Answer {
	if yes {
		return polygraph.Yes
	}
	return polygraph.No
}

// newPolygraph returns the graph of the known dependencies, with a choice for each pair of writers
// whose order is unknown, if they are few enough. If the known dependencies have a cycle,
// anti-dependencies are left out first.
func newPolygraph(o openOrders, l level, g *digraph.Graph, rank []int32) (p *polygraph.Polygraph, few bool) {
	p = polygraph.New(rank)
	for _, kinds := range []digraph.Kind{digraph.WW | digraph.WR, digraph.RT | digraph.On, digraph.RW} {
		for v := range g.Nodes() {
			for _, e := range g.Edges(v) {
				if digraph.KindOf(e)&kinds != 0 {
					p.Add(v, digraph.Target(e))
				}
			}
		}
	}
	c := choices{o, l, p}
	for key, writers := range o.writers() {
		if l.realTime {
			c.inTime(int32(key), writers)
		} else {
			c.pairs(int32(key), writers)
		}
		if c.tooMany() {
			return nil, false
		}
	}
	return p, true
}

// choices adds choices to a polygraph.
type choices struct {
	openOrders
	level level
	*polygraph.Polygraph
}

func (c choices) tooMany() bool {
	choices, edges := c.Size()
	return choices > mostChoices || edges > mostChoiceEdges
}

func (c choices) pairs(key int32, writers []int32) {
	for i, first := range writers {
		if c.tooMany() {
			return
		}
		for _, second := range writers[:i] {
			c.either(key, first, second)
		}
	}
}

// inTime leaves out pairs that real time orders, which are most.
func (c choices) inTime(key int32, writers []int32) {
	all := c.all()
	writers = slices.Clone(writers)
	slices.SortFunc(writers, func(v, w int32) int { return beginning(all[v]).compare(beginning(all[w])) })
	for i, first := range writers {
		if c.tooMany() {
			return
		}
		end := ending(all[first])
		var horizon *moment // the first end of those that come after this one
		for _, second := range writers[i+1:] {
			begin := beginning(all[second])
			if horizon != nil && horizon.compare(begin) < 0 {
				break // so it comes before all others
			}
			if end.compare(begin) >= 0 {
				c.either(key, first, second)
				continue
			}
			for _, e := range c.before(key, first, second) {
				c.Add(e.From, e.To)
			}
			if after := ending(all[second]); horizon == nil || after.compare(*horizon) < 0 {
				horizon = &after
			}
		}
	}
}

func (c choices) either(key, first, second int32) {
	c.Choose(c.before(key, first, second), c.before(key, second, first))
}

// before returns the edges that follow if one version comes before another: its readers did not see
// the other.
func (c choices) before(key, first, second int32) []polygraph.Edge {
	edges := c.edge(nil, first, second, digraph.WW)
	for _, r := range c.readers(key, first) {
		if r != second {
			edges = c.edge(edges, r, second, digraph.RW)
		}
	}
	return edges
}

func (c choices) edge(edges []polygraph.Edge, from, to int32, k digraph.Kind) []polygraph.Edge {
	switch {
	case c.level.shape != digraph.Separate:
		return append(edges, polygraph.Edge{From: from, To: to})
	case k == digraph.RW:
		return append(edges, polygraph.Edge{From: 2 * from, To: 2*to + 1})
	}
	return append(edges, polygraph.Edge{From: 2 * from, To: 2 * to}, polygraph.Edge{From: 2*from + 1, To: 2 * to})
}
