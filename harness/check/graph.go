package check

// kind is how one transaction depends on another. Kinds are bits, so that they form sets.
type kind uint8

const (
	ww kind = 1 << iota // it overwrote what the other wrote
	wr                  // it read what the other wrote
	rw                  // it overwrote what the other read
	rt                  // it began after the other had ended
	on                  // it continues a dependency through a node that stands for many edges
)

const (
	depends  = ww | wr
	kindBits = 5
)

// graph is a directed graph with labeled edges, in compressed rows: 4 bytes an edge.
// Nodes below transactions are transactions. The others are joints: a path through
// joints is one dependency, of the kind of its first edge.
type graph struct {
	transactions int32
	first        []int32  // the edges of node v are edges[first[v]:first[v+1]]
	edges        []uint32 // target<<kindBits | kind
}

func (g *graph) nodes() int32            { return int32(len(g.first) - 1) }
func (g *graph) isJoint(node int32) bool { return node >= g.transactions }
func (g *graph) of(node int32) []uint32  { return g.edges[g.first[node]:g.first[node+1]] }
func target(edge uint32) int32           { return int32(edge >> kindBits) }
func kindOf(edge uint32) kind            { return kind(edge & (1<<kindBits - 1)) }

// sketch collects the edges of a graph.
type sketch struct {
	transactions int32
	nodes        int32
	from         []int32
	edges        []uint32
}

func newSketch(transactions, edges int) *sketch {
	return &sketch{
		transactions: int32(transactions), nodes: int32(transactions),
		from: make([]int32, 0, edges), edges: make([]uint32, 0, edges),
	}
}

func (s *sketch) joint() int32 {
	s.nodes++
	return s.nodes - 1
}

// edge adds an edge. No transaction depends on itself.
func (s *sketch) edge(from, to int32, k kind) {
	if from == to {
		return
	}
	s.from = append(s.from, from)
	s.edges = append(s.edges, uint32(to)<<kindBits|uint32(k))
}

// graph sorts the edges by the nodes that they leave. Edges of one node keep their order.
func (s *sketch) graph() *graph {
	g := &graph{s.transactions, make([]int32, s.nodes+1), make([]uint32, len(s.edges))}
	for _, from := range s.from {
		g.first[from+1]++
	}
	for i := range s.nodes {
		g.first[i+1] += g.first[i]
	}
	next := append([]int32(nil), g.first...)
	for i, from := range s.from {
		g.edges[next[from]] = s.edges[i]
		next[from]++
	}
	return g
}

// fan leads from any transaction to all of its targets but that transaction itself, in
// a number of edges that is linear in sources and targets.
type fan struct {
	targets       []int32 // ascending, each once
	before, after []int32 // joints: before[i] leads to targets[:i], after[i] to targets[i:]
}

// fewTargets is up to how many targets direct edges take no more room than joints.
const fewTargets = 2

func (s *sketch) fan(targets []int32) fan {
	f := fan{targets: targets}
	n := len(targets)
	if n <= fewTargets {
		return f
	}
	f.before, f.after = make([]int32, n+1), make([]int32, n+1)
	for i := 1; i <= n; i++ {
		f.before[i] = s.joint()
		s.edge(f.before[i], targets[i-1], on)
		if i > 1 {
			s.edge(f.before[i], f.before[i-1], on)
		}
	}
	for i := n - 1; i > 0; i-- {
		f.after[i] = s.joint()
		s.edge(f.after[i], targets[i], on)
		if i < n-1 {
			s.edge(f.after[i], f.after[i+1], on)
		}
	}
	return f
}

// spread adds the edges from one transaction to the fan's targets.
func (s *sketch) spread(from int32, f fan, k kind) {
	if f.before == nil {
		for _, to := range f.targets {
			s.edge(from, to, k)
		}
		return
	}
	n := len(f.targets)
	i, self := search32(f.targets, from)
	if !self {
		s.edge(from, f.before[n], k)
		return
	}
	if i > 0 {
		s.edge(from, f.before[i], k)
	}
	if i < n-1 {
		s.edge(from, f.after[i+1], k)
	}
}

// apart is the graph of walks in which no two rw edges are adjacent. Node v becomes
// 2v, reached by an edge that is not rw, and 2v+1, reached by an rw edge.
func (g *graph) apart(kinds kind) *graph {
	s := newSketch(int(2*g.nodes()), 2*len(g.edges))
	for v := range g.nodes() {
		for _, e := range g.of(v) {
			k, to := kindOf(e), target(e)
			switch {
			case k&kinds == 0:
			case k == rw:
				s.edge(2*v, 2*to+1, k)
			case k == on:
				s.edge(2*v, 2*to, k)
				s.edge(2*v+1, 2*to+1, k)
			default:
				s.edge(2*v, 2*to, k)
				s.edge(2*v+1, 2*to, k)
			}
		}
	}
	return s.graph()
}
