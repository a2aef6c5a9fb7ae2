package polygraph

import "slices"

// acyclic is a directed graph that remains acyclic while edges are added, and removed in reverse
// order. It maintains a topological order (Pearce and Kelly,
// "A Dynamic Topological Sort Algorithm for Directed Acyclic Graphs", JEA 2006).
type acyclic struct {
	out, in [][]labeled
	rank    []int32 // every edge leads to a higher rank
	added   []Edge
	steps   int // nodes and edges that were visited

	mark     []int32 // round in which a node was visited
	round    int32
	cameFrom []labeled // the edge by which the forward search reached a node
	ahead    []int32
	behind   []int32
	ranks    []int32
}

// labeled is the target of an edge, and the reason for the edge.
type labeled struct{ node, why int32 }

// Edge leads from one node to another.
type Edge struct{ From, To int32 }

// newAcyclic returns a graph without edges, with an initial rank for each node.
func newAcyclic(rank []int32) *acyclic {
	nodes := len(rank)
	return &acyclic{
		out: make([][]labeled, nodes), in: make([][]labeled, nodes),
		rank: slices.Clone(rank), mark: make([]int32, nodes), cameFrom: make([]labeled, nodes),
	}
}

// add adds an edge. If that would close a cycle it adds nothing, and returns the labels of the
// cycle's edges.
func (a *acyclic) add(from, to, why int32) (cycle []int32, ok bool) {
	a.steps++
	if from == to {
		return []int32{why}, false
	}
	if a.rank[from] > a.rank[to] {
		if a.forward(to, from) {
			return a.path(to, from, why), false
		}
		a.backward(from, a.rank[to])
		a.reorder()
	}
	a.out[from] = append(a.out[from], labeled{to, why})
	a.in[to] = append(a.in[to], labeled{from, why})
	a.added = append(a.added, Edge{from, to})
	return nil, true
}

// size returns the number of edges.
func (a *acyclic) size() int { return len(a.added) }

// shrink removes the edges that were added last, down to a size. The order stays valid for the rest.
func (a *acyclic) shrink(size int) {
	for i := len(a.added) - 1; i >= size; i-- {
		e := a.added[i]
		a.out[e.From] = a.out[e.From][:len(a.out[e.From])-1]
		a.in[e.To] = a.in[e.To][:len(a.in[e.To])-1]
	}
	a.added = a.added[:size]
}

// forward collects the nodes that can be reached from a node, up to the rank of the goal, and tells
// whether the goal is one of them.
func (a *acyclic) forward(start, goal int32) bool {
	a.round++
	a.ahead = append(a.ahead[:0], start)
	a.mark[start] = a.round
	for i := 0; i < len(a.ahead); i++ {
		v := a.ahead[i]
		a.steps += 1 + len(a.out[v])
		for _, e := range a.out[v] {
			if a.mark[e.node] == a.round || a.rank[e.node] > a.rank[goal] {
				continue
			}
			a.mark[e.node], a.cameFrom[e.node] = a.round, labeled{v, e.why}
			if e.node == goal {
				return true
			}
			a.ahead = append(a.ahead, e.node)
		}
	}
	return false
}

func (a *acyclic) path(start, goal, why int32) []int32 {
	labels := []int32{why}
	for v := goal; v != start; v = a.cameFrom[v].node {
		labels = append(labels, a.cameFrom[v].why)
	}
	return labels
}

// backward collects the nodes from which a node can be reached, down to a rank. None of them is ahead.
func (a *acyclic) backward(start, least int32) {
	a.behind = append(a.behind[:0], start)
	a.mark[start] = a.round
	for i := 0; i < len(a.behind); i++ {
		v := a.behind[i]
		a.steps += 1 + len(a.in[v])
		for _, e := range a.in[v] {
			if a.mark[e.node] != a.round && a.rank[e.node] > least {
				a.mark[e.node] = a.round
				a.behind = append(a.behind, e.node)
			}
		}
	}
}

// reorder assigns the lower of the affected ranks to the nodes behind, and the higher ones to the
// nodes ahead.
func (a *acyclic) reorder() {
	byRank := func(v, w int32) int { return int(a.rank[v] - a.rank[w]) }
	slices.SortFunc(a.behind, byRank)
	slices.SortFunc(a.ahead, byRank)
	a.ranks = a.ranks[:0]
	for _, v := range a.behind {
		a.ranks = append(a.ranks, a.rank[v])
	}
	for _, v := range a.ahead {
		a.ranks = append(a.ranks, a.rank[v])
	}
	slices.Sort(a.ranks)
	for i, v := range a.behind {
		a.rank[v] = a.ranks[i]
	}
	for i, v := range a.ahead {
		a.rank[v] = a.ranks[len(a.behind)+i]
	}
}
