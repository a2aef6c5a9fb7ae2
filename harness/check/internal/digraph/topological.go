package digraph

import "container/heap"

// Topological ranks the nodes so that every edge of the kinds leads to a higher rank. Otherwise it
// keeps the order of the nodes: transactions by their beginnings, and joints as early as possible. If
// there is a cycle ok is false, and ranking continues from the first remaining transaction, so that
// most edges agree with the ranks.
func (g *Graph) Topological(kinds Kind) (rank []int32, ok bool) {
	n := g.Nodes()
	before := make([]int32, n)
	for _, e := range g.edges {
		if KindOf(e)&kinds != 0 {
			before[Target(e)]++
		}
	}
	ready := &nodes{transactions: g.Transactions}
	for v := range n {
		if before[v] == 0 {
			ready.all = append(ready.all, v)
		}
	}
	heap.Init(ready)
	rank, ok = make([]int32, n), true
	ranked, left := int32(1), int32(0)
	for ranked <= n {
		if len(ready.all) == 0 {
			ok = false
			for rank[left] != 0 {
				left++
			}
			heap.Push(ready, left)
		}
		v := heap.Pop(ready).(int32)
		if rank[v] != 0 {
			continue // it was not ready when a cycle was broken there
		}
		rank[v] = ranked
		ranked++
		for _, e := range g.Edges(v) {
			if KindOf(e)&kinds == 0 {
				continue
			}
			if before[Target(e)]--; before[Target(e)] == 0 && rank[Target(e)] == 0 {
				heap.Push(ready, Target(e))
			}
		}
	}
	return rank, ok
}

// nodes is a heap of nodes, joints first.
type nodes struct {
	all          []int32
	transactions int32
}

func (h *nodes) Len() int { return len(h.all) }
func (h *nodes) Less(i, j int) bool {
	a, b := h.all[i], h.all[j]
	if joint := a >= h.transactions; joint != (b >= h.transactions) {
		return joint
	}
	return a < b
}
func (h *nodes) Swap(i, j int) { h.all[i], h.all[j] = h.all[j], h.all[i] }
func (h *nodes) Push(v any)    { h.all = append(h.all, v.(int32)) }
func (h *nodes) Pop() any {
	last := h.all[len(h.all)-1]
	h.all = h.all[:len(h.all)-1]
	return last
}
