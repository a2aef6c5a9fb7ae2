package digraph

import "slices"

// Kind is how one transaction depends on another. Kinds are bits, so that they form sets.
type Kind uint8

// The kinds of dependencies (Adya, "Weak Consistency", PhD thesis, MIT 1999).
const (
	WW Kind = 1 << iota // write dependency: it overwrote what the other wrote
	WR                  // read dependency: it read what the other wrote
	RW                  // anti-dependency: it overwrote what the other read
	RT                  // real time: it began after the other had ended
	On                  // it continues a dependency through a joint
)

// Sets of kinds.
const (
	Depends = WW | WR | On // no anti-dependency
	Data    = Depends | RW
)

const kindBits = 5

// Graph is a directed graph with labeled edges, in compressed rows: 4 bytes an edge.
// Nodes below Transactions are transactions. The others are joints, which stand for
// sets of transactions: a path through joints is one dependency, of the kind of its
// first edge.
type Graph struct {
	Transactions int32
	first        []int32  // the edges of node v are edges[first[v]:first[v+1]]
	edges        []uint32 // target<<kindBits | kind
}

// Nodes returns the number of nodes, joints included.
func (g *Graph) Nodes() int32 { return int32(len(g.first) - 1) }

// Edges returns the edges that leave a node. Target and KindOf decode them.
func (g *Graph) Edges(node int32) []uint32 { return g.edges[g.first[node]:g.first[node+1]] }

// Size returns the number of edges.
func (g *Graph) Size() int { return len(g.edges) }

// Target returns the node that an edge leads to.
func Target(edge uint32) int32 { return int32(edge >> kindBits) }

// KindOf returns the kind of an edge.
func KindOf(edge uint32) Kind { return Kind(edge & (1<<kindBits - 1)) }

func (g *Graph) isJoint(node int32) bool { return node >= g.Transactions }

// Sketch collects the edges of a graph. It holds up to 2^27 nodes.
type Sketch struct {
	transactions int32
	nodes        int32
	from         []int32
	edges        []uint32
}

// NewSketch returns a sketch with room for a number of edges. More may be added.
func NewSketch(transactions, edges int) *Sketch {
	return &Sketch{
		transactions: int32(transactions), nodes: int32(transactions),
		from: make([]int32, 0, edges), edges: make([]uint32, 0, edges),
	}
}

// Joint adds a node that is no transaction.
func (s *Sketch) Joint() int32 {
	s.nodes++
	return s.nodes - 1
}

// Edge adds an edge, unless it is a loop: no transaction depends on itself.
func (s *Sketch) Edge(from, to int32, k Kind) {
	if from == to {
		return
	}
	s.from = append(s.from, from)
	s.edges = append(s.edges, uint32(to)<<kindBits|uint32(k))
}

// Graph returns the graph of the edges so far. Edges of one node keep their order.
func (s *Sketch) Graph() *Graph {
	g := &Graph{s.transactions, make([]int32, s.nodes+1), make([]uint32, len(s.edges))}
	for _, from := range s.from {
		g.first[from+1]++
	}
	for i := range s.nodes {
		g.first[i+1] += g.first[i]
	}
	next := slices.Clone(g.first)
	for i, from := range s.from {
		g.edges[next[from]] = s.edges[i]
		next[from]++
	}
	return g
}

// Apart returns the graph of walks in which no two RW edges are adjacent. Node v becomes 2v,
// reached by an edge that is not RW, and 2v+1, reached by an RW edge.
func (g *Graph) Apart() *Graph {
	s := NewSketch(int(2*g.Nodes()), 2*len(g.edges))
	for v := range g.Nodes() {
		for _, e := range g.Edges(v) {
			switch k, to := KindOf(e), Target(e); k {
			case RW:
				s.Edge(2*v, 2*to+1, k)
			case On:
				s.Edge(2*v, 2*to, k)
				s.Edge(2*v+1, 2*to+1, k)
			default:
				s.Edge(2*v, 2*to, k)
				s.Edge(2*v+1, 2*to, k)
			}
		}
	}
	return s.Graph()
}
