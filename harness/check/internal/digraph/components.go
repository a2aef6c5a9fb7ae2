package digraph

// Components are the strongly connected components of more than one node: every cycle
// lies within one of them.
type Components struct {
	Of    []int32 // by node; -1 for a node on no cycle
	Count int32
}

// Components finds them in the subgraph of some kinds, in linear time and without
// recursion (Tarjan, "Depth-First Search and Linear Graph Algorithms", SIAM J. Comput.
// 1972).
func (g *Graph) Components(kinds Kind) Components {
	n := g.Nodes()
	t := tarjan{
		g: g, kinds: kinds,
		order: make([]int32, n), low: make([]int32, n),
		found: Components{Of: make([]int32, n)},
	}
	for v := range n {
		t.found.Of[v] = -1
	}
	for v := range n {
		if t.order[v] == 0 {
			t.visit(v)
		}
	}
	return t.found
}

type tarjan struct {
	g     *Graph
	kinds Kind

	order, low []int32 // order is 0 before a node is visited, and finished after its component is
	visited    int32
	open       []int32 // visited nodes whose component is not complete
	calls      []call
	found      Components
}

type call struct{ node, edge int32 }

const finished = int32(1<<31 - 1)

func (t *tarjan) visit(root int32) {
	t.enter(root)
	for len(t.calls) > 0 {
		c := &t.calls[len(t.calls)-1]
		v := c.node
		if c.edge == t.g.first[v+1] {
			t.leave(v)
			continue
		}
		e := t.g.edges[c.edge]
		c.edge++
		if KindOf(e)&t.kinds == 0 {
			continue
		}
		switch w := Target(e); {
		case t.order[w] == 0:
			t.enter(w)
		case t.order[w] != finished:
			t.low[v] = min(t.low[v], t.order[w])
		}
	}
}

func (t *tarjan) enter(v int32) {
	t.visited++
	t.order[v], t.low[v] = t.visited, t.visited
	t.open = append(t.open, v)
	t.calls = append(t.calls, call{v, t.g.first[v]})
}

func (t *tarjan) leave(v int32) {
	t.calls = t.calls[:len(t.calls)-1]
	if len(t.calls) > 0 {
		parent := t.calls[len(t.calls)-1].node
		t.low[parent] = min(t.low[parent], t.low[v])
	}
	if t.low[v] != t.order[v] {
		return
	}
	start := len(t.open) - 1
	for t.open[start] != v {
		start--
	}
	members := t.open[start:]
	for _, w := range members {
		t.order[w] = finished
		if len(members) > 1 {
			t.found.Of[w] = t.found.Count
		}
	}
	if len(members) > 1 {
		t.found.Count++
	}
	t.open = t.open[:start]
}
