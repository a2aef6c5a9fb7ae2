package polygraph

import "slices"

// Polygraph is a graph with choices: for each choice, the edges of one side are in the graph. It is
// not safe for concurrent use.
type Polygraph struct {
	graph   *acyclic
	choices [][2][]Edge
	edges   int  // of all choices
	cyclic  bool // an edge was left out
	farBack int32

	chosen   []literal // the chosen literals, in order
	picked   []int8    // by choice: 0 open, 1 the first side, -1 the second
	depth    []int32   // by choice: the number of free choices up to it
	because  []int32   // by choice: the exclusion that forced it; unforced if none did
	free     []mark    // the position of each free choice
	applied  int       // how many of chosen have their edges in the graph
	excluded [][]literal
	watching [][]int32 // by literal: exclusions to check when it is chosen
	barred   []bool    // by literal: excluded by itself
	next     int       // no choice before it is open
	bound    int       // steps of the search
}

// literal is 2*choice+side.
type literal int32

type mark struct{ chosen, edges int }

const (
	unforced = int32(-1)
	given    = int32(-1) // the reason for an edge that is no choice's
)

// Answer is the result of a search.
type Answer int

// The answers.
const (
	Yes       Answer = iota
	No               // proven: every choice leaves a cycle
	Undecided        // the search reached its bound
)

// New returns a graph without edges, with a rank for each node. Edges that agree with the ranks are
// cheap, and choices that agree are tried first.
func New(rank []int32) *Polygraph {
	return &Polygraph{graph: newAcyclic(rank), farBack: farBack}
}

// Add adds an edge that does not depend on choices. It leaves out an edge that closes a cycle: Solve
// returns No then.
func (p *Polygraph) Add(from, to int32) {
	if _, ok := p.graph.add(from, to, given); !ok {
		p.cyclic = true
	}
}

// Choose adds a choice between the edges of one side and those of the other.
func (p *Polygraph) Choose(one, other []Edge) {
	p.edges += len(one) + len(other)
	p.choices = append(p.choices, [2][]Edge{one, other})
}

// Size returns the number of choices, and of their edges.
func (p *Polygraph) Size() (choices, edges int) { return len(p.choices), p.edges }

// Rank returns the place of a node in a topological order. After a Yes of Solve it is an order of the
// graph with the chosen edges.
func (p *Polygraph) Rank(node int32) int32 { return p.graph.rank[node] }

// Solve searches for choices that leave no cycle. It returns Undecided beyond a bound on its steps,
// each of which visits a node or an edge. Its memory is proportional to choices and steps. If there
// is no solution it leaves out edges that close cycles and continues, so Rank agrees with most of the
// others.
func (p *Polygraph) Solve(bound int) Answer {
	n := len(p.choices)
	p.picked, p.depth, p.because = make([]int8, n), make([]int32, n), make([]int32, n)
	p.watching, p.barred = make([][]int32, 2*n), make([]bool, 2*n)
	p.bound = p.graph.steps + bound
	for {
		conflict := p.propagate()
		switch {
		case conflict == nil && p.graph.steps > p.bound:
			return Undecided
		case conflict != nil:
			p.learn(conflict)
		case p.pick():
		case p.cyclic:
			return No
		default:
			return Yes
		}
	}
}

func (p *Polygraph) is(l literal) bool {
	return p.picked[l/2] == 1-2*int8(l%2)
}

func (p *Polygraph) choose(l literal, because int32) {
	p.picked[l/2] = 1 - 2*int8(l%2)
	p.depth[l/2] = int32(len(p.free))
	p.because[l/2] = because
	p.chosen = append(p.chosen, l)
}

// pick makes a free choice: the side that agrees with the current topological order, unless it is
// known to be impossible.
func (p *Polygraph) pick() bool {
	for p.next < len(p.choices) && p.picked[p.next] != 0 {
		p.next++
	}
	if p.next == len(p.choices) {
		return false
	}
	l := literal(2*p.next + p.against(p.choices[p.next]))
	if p.barred[l] || p.barred[l^1] {
		if p.barred[l] {
			l ^= 1
		}
		p.choose(l, unforced)
		p.depth[l/2] = 0
		return true
	}
	p.free = append(p.free, mark{len(p.chosen), p.graph.size()})
	p.choose(l, unforced)
	return true
}

// against returns the side with fewer edges that contradict the current order.
func (p *Polygraph) against(c [2][]Edge) int {
	var share [2]float64
	for side, edges := range c {
		for _, e := range edges {
			if p.graph.rank[e.From] > p.graph.rank[e.To] {
				share[side] += 1 / float64(len(edges))
			}
		}
	}
	if share[1] < share[0] {
		return 1
	}
	return 0
}

// propagate adds the edges of the chosen literals to the graph, and makes the choices that they
// force. It returns literals that exclude each other, if it finds any.
func (p *Polygraph) propagate() (conflict []literal) {
	for p.applied < len(p.chosen) {
		if p.graph.steps > p.bound {
			return nil
		}
		l := p.chosen[p.applied]
		p.applied++
		if p.barred[l] && p.matters([]literal{l}) {
			return []literal{l}
		}
		for _, e := range p.choices[l/2][l%2] {
			if cycle, ok := p.graph.add(e.From, e.To, int32(l)); !ok {
				if conflict := p.literals(cycle); p.matters(conflict) {
					return conflict
				}
			}
		}
		if conflict := p.force(l); conflict != nil {
			return conflict
		}
	}
	return nil
}

// matters tells whether another choice can resolve a conflict. If not, there is no solution.
func (p *Polygraph) matters(conflict []literal) bool {
	for _, l := range conflict {
		if p.depth[l/2] > 0 {
			return true
		}
	}
	p.cyclic = true
	return false
}

func (p *Polygraph) literals(labels []int32) []literal {
	found := []literal{}
	for _, label := range labels {
		if label != given && !slices.Contains(found, literal(label)) {
			found = append(found, literal(label))
		}
	}
	return found
}

// force checks the exclusions of a literal that was chosen. An exclusion is watched
// by its first two literals. If all but one are chosen, the other side of that one is.
func (p *Polygraph) force(l literal) (conflict []literal) {
	watching := p.watching[l]
	kept := watching[:0]
	for i, at := range watching {
		p.graph.steps++
		x := p.excluded[at]
		if x[0] == l {
			x[0], x[1] = x[1], x[0]
		}
		if p.is(x[0] ^ 1) {
			kept = append(kept, at)
			continue
		}
		if other := slices.IndexFunc(x[2:], func(o literal) bool { return !p.is(o) }); other >= 0 {
			x[1], x[2+other] = x[2+other], x[1]
			p.watching[x[1]] = append(p.watching[x[1]], at)
			continue
		}
		kept = append(kept, at)
		if p.is(x[0]) {
			if !p.matters(x) {
				continue
			}
			p.watching[l] = append(kept, watching[i+1:]...)
			return slices.Clone(x)
		}
		p.choose(x[0]^1, at)
	}
	p.watching[l] = kept
	return nil
}

// learn derives an exclusion with only one literal of the current depth, backtracks to where the
// other side of that literal is forced, and forces it.
func (p *Polygraph) learn(conflict []literal) {
	p.graph.steps += len(conflict)
	present := int32(0)
	for _, l := range conflict {
		present = max(present, p.depth[l/2])
	}
	if int(present) < len(p.free) {
		p.goBack(present)
	}
	var lower []literal
	seen, atPresent := make(map[literal]bool), 0
	meet := func(l literal) {
		switch d := p.depth[l/2]; {
		case seen[l] || d == 0:
		case d == present:
			seen[l] = true
			atPresent++
		default:
			seen[l] = true
			lower = append(lower, l)
		}
	}
	for _, l := range conflict {
		meet(l)
	}
	for at := len(p.chosen) - 1; ; at-- {
		l := p.chosen[at]
		switch {
		case !seen[l]:
			continue
		case atPresent == 1:
			p.exclude(l, lower)
			return
		}
		atPresent--
		for _, o := range p.excluded[p.because[l/2]] {
			if o/2 != l/2 {
				meet(o)
			}
		}
	}
}

// farBack limits how many free choices are undone at once where one would suffice, because making
// them again is expensive.
const farBack = 100

// exclude records that the literals exclude each other, and forces the other side of the last one.
func (p *Polygraph) exclude(last literal, lower []literal) {
	p.graph.steps += len(lower)
	back := int32(0)
	for i, l := range lower {
		if d := p.depth[l/2]; d > back {
			back = d
			lower[0], lower[i] = lower[i], lower[0]
		}
	}
	if present := int32(len(p.free)); present-back > p.farBack {
		back = present - 1
	}
	p.goBack(back)
	if len(lower) == 0 {
		p.barred[last] = true
		p.choose(last^1, unforced)
		p.depth[last/2] = 0
		return
	}
	at := int32(len(p.excluded))
	p.excluded = append(p.excluded, append([]literal{last}, lower...))
	p.watching[last] = append(p.watching[last], at)
	p.watching[lower[0]] = append(p.watching[lower[0]], at)
	p.choose(last^1, at)
}

// goBack undoes the free choices beyond a depth, and the choices that they forced.
func (p *Polygraph) goBack(depth int32) {
	to := p.free[depth]
	for _, l := range p.chosen[to.chosen:] {
		p.picked[l/2] = 0
		p.next = min(p.next, int(l/2))
	}
	p.chosen = p.chosen[:to.chosen]
	p.applied = min(p.applied, to.chosen)
	p.graph.shrink(to.edges)
	p.free = p.free[:depth]
}
