package digraph

// Shape is how many anti-dependencies (RW) a cycle may have, and where.
type Shape int

// The shapes. Each allows everything that those before it allow, except Single, which demands
// exactly one.
const (
	Without  Shape = iota // none
	Single                // exactly one
	Separate              // no two that are adjacent
	Anyhow                // any number
)

// Kinds returns the kinds of edges in cycles of the shape.
func (s Shape) Kinds() Kind {
	if s == Without {
		return Depends
	}
	return Data
}

// next returns the state of a walk after an edge, if the shape allows the edge. States are 0 and 1:
// for Single, whether the walk had its RW edge; for Separate, whether its last edge was one.
func (s Shape) next(state int32, k Kind) (int32, bool) {
	switch {
	case k == On || s == Anyhow || s == Without:
		return state, k != RW || s != Without
	case k == RW:
		return 1, state == 0
	case s == Single:
		return state, true
	}
	return 0, true
}

// accepts tells whether a walk that returns in this state closes a cycle of the shape, if it began
// with an edge of kind first.
func (s Shape) accepts(state int32, first Kind) bool {
	switch s {
	case Single:
		return state == 1
	case Separate:
		return first != RW || state == 0
	default:
	}
	return true
}
