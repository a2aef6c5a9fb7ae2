package check

import (
	"slices"
	"strings"

	"gonum.org/v1/gonum/graph/path"
	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// kind is how one transaction depends on another.
type kind int

const (
	ww kind = 1 << iota // it overwrote what the other wrote
	wr                  // it read what the other wrote
	rw                  // it wrote what the other had not seen yet
	rt                  // it began when the other had ended
)

// edge is one such dependency: from comes before to.
type edge struct {
	from, to    int
	kind        kind
	key         string
	value, next int64
}

// graph is who depends on whom.
type graph struct {
	edges        map[[2]int][]edge
	intermediate []edge // reads of half a transaction
}

func newGraph() *graph { return &graph{edges: make(map[[2]int][]edge)} }

func (g *graph) add(from, to int, k kind, key string, value, next int64) {
	if from == to || from < 0 || to < 0 {
		return
	}
	at := [2]int{from, to}
	if !slices.ContainsFunc(g.edges[at], func(e edge) bool { return e.kind == k }) {
		g.edges[at] = append(g.edges[at], edge{from, to, k, key, value, next})
	}
}

// inTime adds that what had ended comes before what began then. Only the latest that
// had ended are needed: the others come before those.
func (g *graph) inTime(all []*journal.Event) {
	type moment struct {
		transaction int
		begins      bool
		at          int64
	}
	var moments []moment
	for i, e := range all {
		if e.Op.Outcome != journal.OK || !e.Op.Changes() && e.Op.Level != journal.Strong && !e.Op.Final {
			continue
		}
		moments = append(moments, moment{i, true, e.At.UnixNano()}, moment{i, false, e.End().UnixNano()})
	}
	slices.SortStableFunc(moments, func(a, b moment) int {
		if a.at != b.at {
			return int(min(1, max(-1, a.at-b.at)))
		}
		if a.begins != b.begins && a.begins { // at one instant they overlap
			return -1
		} else if a.begins != b.begins {
			return 1
		}
		return 0
	})
	latest := make(map[int]bool)
	before := make(map[int][]int)
	for _, m := range moments {
		if m.begins {
			before[m.transaction] = sorted(latest)
			continue
		}
		for _, earlier := range before[m.transaction] {
			g.add(earlier, m.transaction, rt, "", 0, 0)
			delete(latest, earlier)
		}
		latest[m.transaction] = true
	}
}

// directed is the graph of the edges of some kinds only.
func (g *graph) directed(kinds kind) *simple.DirectedGraph {
	d := simple.NewDirectedGraph()
	for at, edges := range g.edges {
		if slices.ContainsFunc(edges, func(e edge) bool { return e.kind&kinds != 0 }) {
			d.SetEdge(d.NewEdge(simple.Node(at[0]), simple.Node(at[1])))
		}
	}
	return d
}

// anomaly is the simplest cycle there is, by its name; nil if there is none.
func (g *graph) anomaly(h history, all []*journal.Event) error {
	if len(g.intermediate) > 0 {
		e := g.intermediate[0]
		return h.violation("G1b, intermediate read", []*journal.Event{all[e.from], all[e.to]},
			"%s appended %d and %d to %s, and %s saw only the first", name(e.from), e.value, e.next, e.key, name(e.to))
	}
	for _, class := range []struct {
		name  string
		kinds kind
		one   kind // there is exactly one of these
	}{
		{"G0, dirty write", ww, 0},
		{"G1c, cyclic information flow", ww | wr, 0},
		{"G-single, read skew", ww | wr, rw},
		{"G2, write skew", ww | wr | rw, 0},
		{"G0-realtime, dirty write", ww | rt, 0},
		{"G1c-realtime, cyclic information flow", ww | wr | rt, 0},
		{"G-single-realtime, stale read", ww | wr | rt, rw},
		{"G2-realtime, write skew", ww | wr | rw | rt, 0},
	} {
		cycle := g.cycle(class.kinds, class.one)
		if cycle == nil {
			continue
		}
		title := class.name
		if class.one == rw && lostUpdate(cycle, all) {
			title = strings.Replace(title, "read skew", "lost update", 1)
		}
		var witnesses []*journal.Event
		for _, e := range cycle {
			witnesses = append(witnesses, all[e.from])
		}
		return h.violation(title, witnesses, "%s", sentences(cycle))
	}
	return nil
}

// cycle is a short cycle of edges of these kinds, with one edge of another kind if
// that is not 0.
func (g *graph) cycle(kinds, one kind) []edge {
	whole := g.directed(kinds | one)
	rest := g.directed(kinds)
	var best []edge
	for _, component := range topo.TarjanSCC(whole) {
		if len(component) < 2 {
			continue
		}
		in := make(map[int]bool, len(component))
		for _, node := range component {
			in[int(node.ID())] = true
		}
		if found := g.shortest(in, rest, kinds, one); found != nil && (best == nil || len(found) < len(best)) {
			best = found
		}
	}
	return best
}

// mostWays is from how many transactions a shorter way is looked for once there is one.
const mostWays = 200

// shortest closes, of every edge in the component that may close a cycle, the
// shortest way back.
func (g *graph) shortest(in map[int]bool, rest *simple.DirectedGraph, kinds, one kind) []edge {
	closing := kinds
	if one != 0 {
		closing = one
	}
	var best []edge
	ways := make(map[int]path.Shortest)
	for _, at := range g.within(in) {
		if len(ways) > mostWays && best != nil {
			break
		}
		i := slices.IndexFunc(g.edges[at], func(e edge) bool { return e.kind&closing != 0 })
		if i < 0 || rest.Node(int64(at[1])) == nil || rest.Node(int64(at[0])) == nil {
			continue
		}
		from, known := ways[at[1]]
		if !known {
			from = path.DijkstraFrom(simple.Node(at[1]), rest)
			ways[at[1]] = from
		}
		back, _ := from.To(int64(at[0]))
		if len(back) == 0 || best != nil && len(back) >= len(best) {
			continue
		}
		cycle := []edge{g.edges[at][i]}
		for j := 1; j < len(back); j++ {
			cycle = append(cycle, g.between(int(back[j-1].ID()), int(back[j].ID()), kinds))
		}
		best = cycle
	}
	return best
}

// within are the edges inside a component, in order.
func (g *graph) within(in map[int]bool) [][2]int {
	var edges [][2]int
	for at := range g.edges {
		if in[at[0]] && in[at[1]] {
			edges = append(edges, at)
		}
	}
	slices.SortFunc(edges, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	return edges
}

func (g *graph) between(from, to int, kinds kind) edge {
	edges := g.edges[[2]int{from, to}]
	return edges[slices.IndexFunc(edges, func(e edge) bool { return e.kind&kinds != 0 })]
}

// lostUpdate tells whether the cycle is of two transactions that both read a list and
// both appended to it.
func lostUpdate(cycle []edge, all []*journal.Event) bool {
	if len(cycle) != 2 || cycle[0].key == "" || cycle[1].kind != ww && cycle[1].kind != wr {
		return false
	}
	both := func(e *journal.Event) bool {
		reads, appends := false, false
		for _, s := range e.Op.Steps {
			if s.Key == cycle[0].key {
				reads, appends = reads || s.Do == journal.Read, appends || s.Do == journal.Append
			}
		}
		return reads && appends
	}
	return both(all[cycle[0].from]) && both(all[cycle[0].to])
}
