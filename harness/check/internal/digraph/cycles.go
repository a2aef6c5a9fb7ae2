package digraph

import (
	"cmp"
	"slices"
)

// Hop is one dependency of a cycle: From comes before To, both transactions.
type Hop struct {
	From, To int32
	Kind     Kind
}

// Bounds of the search for cycles. Components decide whether there are any, which is
// exact; the bounds limit only how many are listed.
const (
	mostCycles = 20      // of one component
	mostStarts = 200     // edges from which a cycle is searched for, of one component
	mostVisits = 1 << 25 // nodes in all, but for the first start in each component
)

// Hunt searches for short cycles. No two of them share an anti-dependency; nor a read dependency if
// they have no anti-dependency; nor a write dependency if they have neither. So one wrong read shows
// in one cycle, and not in all cycles through it.
type Hunt struct {
	Cut bool // it stopped at its bounds: more cycles may exist

	used    map[Hop]bool // dependencies that no further cycle may have
	touched []bool       // by node: an edge that leaves it is used

	g     *Graph
	left  int      // visits
	stamp []uint32 // round in which a state was met; the states of node v are 2v and 2v+1
	round uint32
	via   []arrival // how a state was reached
	level []int32   // states at one distance
	later []int32   // states at the next one
}

// arrival is the edge by which a state was reached.
type arrival struct {
	from int32 // a state, or none
	kind Kind
}

const none = int32(-1)

// NewHunt returns a search of the graph. It takes 25 bytes per node.
func NewHunt(g *Graph) *Hunt {
	return &Hunt{
		g: g, left: mostVisits,
		used: make(map[Hop]bool), touched: make([]bool, g.Nodes()),
		stamp: make([]uint32, 2*g.Nodes()), via: make([]arrival, 2*g.Nodes()),
	}
}

// pass is one search through the graph.
type pass struct {
	Shape
	kinds     Kind
	component func(node, state int32) int32 // -1 if no cycle leads there
}

// start is an edge on a cycle, and the component that it is in.
type start struct {
	from, to  int32
	kind      Kind
	component int32
}

// Cycles calls f with short cycles of the shape, with real time or without. For a component with
// such cycles it calls f at least once, unless the shape is Single.
func (h *Hunt) Cycles(s Shape, realTime bool, f func([]Hop)) {
	p := pass{Shape: s, kinds: s.Kinds()}
	if realTime {
		p.kinds |= RT
	}
	if s == Separate {
		c := h.g.Apart().Components(p.kinds)
		p.component = func(node, state int32) int32 { return c.Of[2*node+state] }
	} else {
		c := h.g.Components(p.kinds)
		p.component = func(node, _ int32) int32 { return c.Of[node] }
	}
	for starts := h.starts(p); len(starts) > 0; {
		n := 1
		for n < len(starts) && starts[n].component == starts[0].component {
			n++
		}
		h.within(p, starts[:n], f)
		starts = starts[n:]
	}
}

// within searches one component.
func (h *Hunt) within(p pass, starts []start, f func([]Hop)) {
	found := 0
	for i, st := range starts {
		if i == mostStarts || found == mostCycles || h.left <= 0 && i > 0 {
			h.Cut = true
			return
		}
		if h.isUsed(st.from, st.to, st.kind) {
			continue
		}
		if cycle := h.from(p, st); cycle != nil {
			found++
			h.use(cycle)
			f(cycle)
		}
	}
}

// use marks the dependencies of a cycle that characterize it.
func (h *Hunt) use(cycle []Hop) {
	for _, kind := range []Kind{RW, WR, WW} {
		for _, hop := range cycle {
			if hop.Kind == kind {
				h.used[hop], h.touched[hop.From] = true, true
			}
		}
		if slices.ContainsFunc(cycle, func(hop Hop) bool { return hop.Kind == kind }) {
			return
		}
	}
}

func (h *Hunt) isUsed(from, to int32, k Kind) bool {
	return h.touched[from] && h.used[Hop{from, to, k}]
}

// starts returns, by component, edges of which every cycle has one: transactions are numbered by
// their beginnings, so every cycle has an edge to a lower number. Edges that span most come first,
// because real time closes them at once.
func (h *Hunt) starts(p pass) (starts []start) {
	for v := range h.g.Transactions {
		if p.component(v, 0) < 0 && p.component(v, 1) < 0 {
			continue
		}
		for _, e := range h.g.Edges(v) {
			k, to := KindOf(e), Target(e)
			if k&p.kinds == 0 || k == RT || to > v && !h.g.isJoint(to) {
				continue
			}
			entry, _ := p.next(0, k)
			c := p.component(v, 0)
			if p.Shape == Separate && k != RW && c != p.component(to, entry) {
				c = p.component(v, 1)
			}
			if c >= 0 && c == p.component(to, entry) {
				starts = append(starts, start{v, to, k, c})
			}
		}
	}
	slices.SortStableFunc(starts, func(a, b start) int {
		return cmp.Or(cmp.Compare(a.component, b.component), cmp.Compare(a.to-a.from, b.to-b.from))
	})
	return starts
}

// from finds a shortest way back from an edge. Edges through joints count once.
func (h *Hunt) from(p pass, st start) []Hop {
	h.round++
	state, _ := p.next(0, st.kind)
	h.level, h.later = h.level[:0], h.later[:0]
	h.meet(2*st.to+state, arrival{none, st.kind}, &h.level)
	for len(h.level) > 0 {
		for i := 0; i < len(h.level); i++ { // the level grows
			at := h.level[i]
			if at/2 == st.from && p.accepts(at%2, st.kind) {
				return simple(h.walk(at, st), p.Shape)
			}
			h.leave(p, at, st.component)
		}
		h.level, h.later = h.later, h.level[:0]
	}
	return nil
}

// leave follows the edges from a state that stay in the component.
func (h *Hunt) leave(p pass, at, component int32) {
	for _, e := range h.g.Edges(at / 2) {
		k, to := KindOf(e), Target(e)
		if k&p.kinds == 0 || h.isUsed(at/2, to, k) || p.component(to, 0) != component && p.component(to, 1) != component {
			continue
		}
		state, fits := p.next(at%2, k)
		if !fits {
			continue
		}
		list := &h.later
		if k == On {
			list = &h.level
		}
		h.meet(2*to+state, arrival{at, k}, list)
	}
}

func (h *Hunt) meet(state int32, by arrival, list *[]int32) {
	if h.stamp[state] == h.round {
		return
	}
	h.left--
	h.stamp[state], h.via[state] = h.round, by
	*list = append(*list, state)
}
