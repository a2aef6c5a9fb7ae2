package digraph

import "slices"

// visit is a transaction on a walk, and the state in which the walk reached it.
type visit struct {
	node, state int32
	kind        Kind // of the dependency by which it was reached
}

// walk goes back from the last state to the first edge. The result begins and ends
// at the transaction that the first edge leaves.
func (h *Hunt) walk(last int32, st start) []visit {
	var back []visit
	for at := last; at >= 0; at = h.via[at].from {
		back = append(back, visit{at / 2, at % 2, h.via[at].kind})
	}
	back = append(back, visit{node: st.from})
	slices.Reverse(back)
	walk := back[:1]
	var pending Kind // of the dependency through joints
	for _, v := range back[1:] {
		if v.kind != On {
			pending = v.kind
		}
		if !h.g.isJoint(v.node) {
			walk = append(walk, visit{v.node, v.state, pending})
		}
	}
	return walk
}

// simple reduces a closed walk to a cycle of the same shape that visits no transaction twice. A
// transaction that is visited twice splits a walk into two closed walks, and one of them always has
// the shape.
func simple(walk []visit, s Shape) []Hop {
	for {
		i, j := repeated(walk)
		if i < 0 {
			break
		}
		inner := walk[i : j+1]
		outer := append(slices.Clone(walk[:i+1]), walk[j+1:]...)
		switch {
		case s == Single && countRW(inner[1:]) == 1:
			walk = inner
		case s == Separate && walk[i].state == 1:
			walk = inner
		default:
			walk = outer
		}
	}
	cycle := make([]Hop, len(walk)-1)
	for i := range cycle {
		cycle[i] = Hop{walk[i].node, walk[i+1].node, walk[i+1].kind}
	}
	return cycle
}

// repeated returns the first two places of a transaction that a closed walk visits twice; -1 if there
// is none.
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
		if v.kind == RW {
			n++
		}
	}
	return n
}
