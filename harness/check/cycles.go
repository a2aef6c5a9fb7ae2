package check

import (
	"cmp"
	"slices"
)

// hop is one dependency of a cycle: from comes before to.
type hop struct {
	from, to int32
	kind     kind
}

// shape is how many anti-dependencies (rw) a cycle may have, and where.
type shape int

const (
	without  shape = iota // none
	single                // exactly one
	separate              // no two that are adjacent
	anyhow                // any number
)

// Bounds of the search for cycles. It decides by components whether there are any,
// which is exact; the bounds only limit how many are spelled out.
const (
	mostCycles = 8       // of one kind of search, from one component
	mostStarts = 64      // edges from which a cycle is searched for, of one component
	mostVisits = 1 << 25 // states visited in all, but for the first cycle of each component
)

// hunt looks for short cycles by breadth-first search.
type hunt struct {
	g     *graph
	left  int // visits
	cut   bool
	stamp []uint32 // by state 2*node+rw
	now   uint32
	via   []step32 // how a state was reached
	level []int32
	later []int32
}

type step32 struct {
	from int32
	kind kind
}

func newHunt(g *graph) *hunt {
	return &hunt{g: g, left: mostVisits, stamp: make([]uint32, 2*g.nodes()), via: make([]step32, 2*g.nodes())}
}

// next is the state after an edge, if the shape allows for it. States are 0 and 1.
func (s shape) next(state int32, k kind) (int32, bool) {
	switch {
	case k == on || s == anyhow || s == without:
		return state, k != rw || s != without
	case s == single && k == rw:
		return 1, state == 0
	case s == single:
		return state, true
	case k == rw:
		return 1, state == 0
	}
	return 0, true
}

// accepts tells whether a walk that comes back in this state, by an edge, closes a
// cycle that began with an edge of kind first.
func (s shape) accepts(state int32, first kind) bool {
	switch s {
	case single:
		return state == 1
	case separate:
		return first != rw || state == 0
	}
	return true
}

// start is an edge on a cycle, and the component that it is in.
type start struct {
	from, to  int32
	kind      kind
	component int32
}

// cycles calls f with cycles of the kinds and the shape: short ones, and at least one
// of each component that has any.
func (h *hunt) cycles(kinds kind, s shape, f func([]hop)) {
	starts, inside := h.starts(kinds, s)
	for len(starts) > 0 {
		n := 1
		for n < len(starts) && starts[n].component == starts[0].component {
			n++
		}
		h.component(starts[:n], kinds, s, inside, f)
		starts = starts[n:]
	}
}

func (h *hunt) component(starts []start, kinds kind, s shape, inside func(node, state int32) int32, f func([]hop)) {
	found := 0
	for i, st := range starts {
		if i == mostStarts || found == mostCycles || h.left <= 0 && i > 0 {
			h.cut = true
			return
		}
		if cycle := h.from(st, kinds, s, inside); cycle != nil {
			found++
			f(cycle)
		}
	}
}

// starts are edges of which every cycle has one, by component: transactions are
// numbered by their beginnings, so every cycle has an edge that goes back. Those
// that go back furthest come first: they need the least to close.
func (h *hunt) starts(kinds kind, s shape) ([]start, func(node, state int32) int32) {
	allowed := kinds | on
	if s != without {
		allowed |= rw
	}
	var of func(node, state int32) int32
	if s == separate {
		c := h.g.apart(allowed).components(allowed)
		of = func(node, state int32) int32 { return c.of[2*node+state] }
	} else {
		c := h.g.components(allowed)
		of = func(node, _ int32) int32 { return c.of[node] }
	}
	var starts []start
	for v := range h.g.transactions {
		if of(v, 0) < 0 && of(v, 1) < 0 {
			continue
		}
		for _, e := range h.g.of(v) {
			k, to := kindOf(e), target(e)
			if k&allowed == 0 || k == rt || to > v && !h.g.isJoint(to) {
				continue
			}
			entry, _ := s.next(0, k)
			for state := range int32(2) {
				if s == separate && k == rw && state == 1 {
					continue
				}
				if c := of(v, state); c >= 0 && c == of(to, entry) {
					starts = append(starts, start{v, to, k, c})
					break
				}
			}
		}
	}
	slices.SortStableFunc(starts, func(a, b start) int {
		return cmp.Or(cmp.Compare(a.component, b.component), cmp.Compare(a.to-a.from, b.to-b.from))
	})
	return starts, of
}

// from finds the shortest way back from an edge.
func (h *hunt) from(st start, kinds kind, s shape, inside func(node, state int32) int32) []hop {
	allowed := kinds | on
	if s != without {
		allowed |= rw
	}
	h.now++
	state, ok := s.next(0, st.kind)
	if !ok {
		return nil
	}
	h.level, h.later = h.level[:0], h.later[:0]
	h.reach(2*st.to+state, step32{-1, st.kind}, &h.level)
	for len(h.level) > 0 {
		for i := 0; i < len(h.level); i++ { // grows
			at := h.level[i]
			node, state := at/2, at%2
			if node == st.from && s.accepts(state, st.kind) {
				return h.simple(h.walk(at, st), s)
			}
			for _, e := range h.g.of(node) {
				k := kindOf(e)
				if k&allowed == 0 || inside(target(e), 0) != st.component && inside(target(e), 1) != st.component {
					continue
				}
				to, fits := s.next(state, k)
				if !fits {
					continue
				}
				list := &h.later
				if k == on {
					list = &h.level
				}
				h.reach(2*target(e)+to, step32{at, k}, list)
			}
		}
		h.level, h.later = h.later, h.level[:0]
	}
	return nil
}

func (h *hunt) reach(state int32, via step32, list *[]int32) {
	if h.stamp[state] == h.now {
		return
	}
	h.left--
	h.stamp[state], h.via[state] = h.now, via
	*list = append(*list, state)
}

// visit is a transaction on a walk, and the state in which the walk came there.
type visit struct {
	node, state int32
	kind        kind // of the dependency by which it came
}

// walk goes back from the last state to the first edge. The result begins and ends
// at the transaction that the first edge leaves.
func (h *hunt) walk(last int32, st start) []visit {
	var back []visit
	for at := last; at >= 0; at = h.via[at].from {
		back = append(back, visit{at / 2, at % 2, h.via[at].kind})
	}
	back = append(back, visit{node: st.from})
	slices.Reverse(back)
	walk := back[:1]
	var pending kind // of the dependency through joints
	for _, v := range back[1:] {
		if v.kind != on {
			pending = v.kind
		}
		if !h.g.isJoint(v.node) {
			walk = append(walk, visit{v.node, v.state, pending})
		}
	}
	return walk
}

// simple cuts a closed walk down to a cycle of the same shape that meets no
// transaction twice. Of the two closed walks that it falls into at such a
// transaction one always has the shape.
func (h *hunt) simple(walk []visit, s shape) []hop {
	for {
		i, j := repeated(walk)
		if i < 0 {
			break
		}
		inner := walk[i : j+1]
		outer := append(slices.Clone(walk[:i+1]), walk[j+1:]...)
		switch {
		case s == single && countRW(inner[1:]) == 1:
			walk = inner
		case s == separate && walk[i].state == 1:
			walk = inner
		default:
			walk = outer
		}
	}
	cycle := make([]hop, len(walk)-1)
	for i := range cycle {
		cycle[i] = hop{walk[i].node, walk[i+1].node, walk[i+1].kind}
	}
	return cycle
}

// repeated are the first two places of a transaction that a closed walk meets twice; -1
// if it meets none twice.
func repeated(walk []visit) (int, int) {
	for j := 1; j < len(walk); j++ {
		for i := range j {
			if walk[i].node == walk[j].node && (i > 0 || j < len(walk)-1) {
				return i, j
			}
		}
	}
	return -1, -1
}

func countRW(walk []visit) (n int) {
	for _, v := range walk {
		if v.kind == rw {
			n++
		}
	}
	return n
}
