package digraph

import "slices"

// Fan leads to several transactions. Spread leads to all of them except the one that it starts from,
// with a constant number of edges.
type Fan struct {
	targets       []int32
	before, after []int32 // joints: before[i] leads to targets[:i], after[i] to targets[i:]
}

// fewTargets is the number of targets up to which direct edges take no more memory than joints.
const fewTargets = 2

// Fan adds joints that lead to the targets, which are ascending and unique.
func (s *Sketch) Fan(targets []int32) Fan {
	f := Fan{targets: targets}
	n := len(targets)
	if n <= fewTargets {
		return f
	}
	f.before, f.after = make([]int32, n+1), make([]int32, n+1)
	for i := 1; i <= n; i++ {
		f.before[i] = s.Joint()
		s.Edge(f.before[i], targets[i-1], On)
		if i > 1 {
			s.Edge(f.before[i], f.before[i-1], On)
		}
	}
	for i := n - 1; i > 0; i-- {
		f.after[i] = s.Joint()
		s.Edge(f.after[i], targets[i], On)
		if i < n-1 {
			s.Edge(f.after[i], f.after[i+1], On)
		}
	}
	return f
}

// Spread adds edges from a transaction to the fan's targets.
func (s *Sketch) Spread(from int32, f Fan, k Kind) {
	if f.before == nil {
		for _, to := range f.targets {
			s.Edge(from, to, k)
		}
		return
	}
	n := len(f.targets)
	i, self := slices.BinarySearch(f.targets, from)
	if !self {
		s.Edge(from, f.before[n], k)
		return
	}
	if i > 0 {
		s.Edge(from, f.before[i], k)
	}
	if i < n-1 {
		s.Edge(from, f.after[i+1], k)
	}
}
