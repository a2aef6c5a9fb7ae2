package digraph

// Shape is how many anti-dependencies (RW) a cycle may have, and where.
type Shape int

// The shapes. Each allows for all that those before it do, but for Single, of which
// exactly one is asked.
const (
	Without  Shape = iota // none
	Single                // exactly one
	Separate              // no two that are adjacent
	Anyhow                // any number
)

// Kinds are the kinds of edges that cycles of the shape are made of.
func (s Shape) Kinds() Kind {
	if s == Without {
		return Depends
	}
	return Data
}

// next is the state of a walk after an edge, if the shape allows for the edge. States
// are 0 and 1: of Single, whether it had its RW edge, and of Separate, whether the
// last edge was one.
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

// accepts tells whether a walk that comes back in this state closes a cycle of the
// shape that began with an edge of kind first.
func (s Shape) accepts(state int32, first Kind) bool {
	switch s {
	case Single:
		return state == 1
	case Separate:
		return first != RW || state == 0
	}
	return true
}
