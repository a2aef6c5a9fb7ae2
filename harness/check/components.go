package check

// components are the strongly connected components of the subgraph with edges of some
// kinds: a cycle lies within one of them.
type components struct {
	of    []int32 // by node; -1 for a node on no cycle
	count int32
}

// components finds them in linear time and without recursion (Tarjan, "Depth-First
// Search and Linear Graph Algorithms", SIAM J. Comput. 1972).
func (g *graph) components(kinds kind) components {
	n := g.nodes()
	t := tarjan{
		g: g, kinds: kinds,
		order: make([]int32, n), low: make([]int32, n),
		found: components{of: make([]int32, n)},
	}
	for v := range n {
		t.found.of[v] = -1
	}
	for v := range n {
		if t.order[v] == 0 {
			t.visit(v)
		}
	}
	return t.found
}

type tarjan struct {
	g     *graph
	kinds kind

	order, low []int32 // order is 0 before a node is visited, and finished after its component is
	visited    int32
	open       []int32 // visited nodes whose component is not complete
	calls      []call
	found      components
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
		if kindOf(e)&t.kinds == 0 {
			continue
		}
		switch w := target(e); {
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
			t.found.of[w] = t.found.count
		}
	}
	if len(members) > 1 {
		t.found.count++
	}
	t.open = t.open[:start]
}
