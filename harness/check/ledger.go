package check

import (
	"math/rand/v2"
	"slices"
)

// ledger is a bank with many concurrent transfers. It finds the transfers between two reads by
// sums: each transfer and each read of all accounts has a hash, the sum of its amounts weighted by a
// random number for each account. Equal sums mean equal balances with high probability. The
// transfers that are found are applied, which verifies them.
type ledger struct {
	*numbers
	factors []uint64
	moves   []uint64             // by class; 0 for other operations
	reached map[uint64][]landing // by sum
	spares  map[int]bool         // classes with transfers of unknown outcome
}

// landing is a read, and a transfer of unknown outcome that comes before it; -1 for none.
type landing struct{ read, spare int }

// mostLandings limits the table of landings.
const mostLandings = 1 << 20

func newLedger(n *numbers, s *search) *ledger {
	l := &ledger{numbers: n, moves: make([]uint64, len(n.classes)), reached: make(map[uint64][]landing), spares: make(map[int]bool)}
	chance := rand.New(rand.NewPCG(1, uint64(len(n.accounts))))
	for range n.accounts {
		l.factors = append(l.factors, chance.Uint64())
	}
	for class, steps := range n.classes {
		if onlyIncrements(steps) {
			for _, step := range steps {
				l.moves[class] += l.factors[step.account] * uint64(step.value)
			}
			if s.classes[class].perhaps > 0 {
				l.spares[class] = true
			}
		}
	}
	for class, steps := range n.classes {
		if !s.classes[class].reads || touched(steps) < len(n.accounts) {
			continue
		}
		sum := uint64(0)
		for _, step := range steps {
			if len(step.got) == 1 {
				sum += l.factors[step.account] * uint64(step.got[0])
			}
		}
		l.reached[sum] = append(l.reached[sum], landing{class, -1})
		for spare := range l.spares {
			if len(l.reached) < mostLandings {
				l.reached[sum-l.moves[spare]] = append(l.reached[sum-l.moves[spare]], landing{class, spare})
			}
		}
	}
	return l
}

func (l *ledger) leaps(s *search, c *config, class int) [][]int {
	var strides [][]int
	var moves, spare []int
	for _, other := range s.active {
		switch {
		case !s.takeable(c, other):
		case l.moves[other] != 0 && !s.takeableInTime(c, other):
			spare = append(spare, other)
		case l.moves[other] != 0:
			moves = append(moves, other)
		case l.moves[other] == 0 && !s.classes[other].reads:
			strides = append(strides, []int{other})
		}
	}
	if !s.classes[class].reads {
		strides = append(strides, []int{class})
		if _, can := l.apply(c.state, class); !can { // it may need another transfer first
			for _, other := range slices.Concat(moves, spare) {
				strides = append(strides, []int{other, class})
			}
		}
	}
	sum := uint64(0)
	for i, b := range l.states[c.state] {
		sum += l.factors[i] * uint64(b.value)
	}
	found := &landings{ledger: l, search: s, from: c, moves: moves, spare: spare, left: s.lookups()}
	for size := 0; size <= len(moves) && found.left > 0; size++ {
		found.choose(sum, nil, 0, size)
	}
	s.budget.spend(lookup * (s.lookups() - found.left))
	return append(strides, found.strides...)
}

// lookup is the cost of looking up a sum, in bytes of the budget.
const lookup = 8

// lookups limits the sums that are looked up from one configuration.
func (s *search) lookups() int { return max(100*s.width, 20_000) }

// landings returns the strides that end where a read can be explained. They consist of transfers in
// progress and at most one of unknown outcome.
type landings struct {
	*ledger
	search  *search
	from    *config
	moves   []int
	spare   []int // classes with transfers of unknown outcome that may come first
	left    int   // sums that may still be looked up
	strides [][]int
}

// choose adds up to that many transfers, from one on, to the chosen ones.
func (f *landings) choose(sum uint64, chosen []int, from, size int) {
	if size == 0 {
		f.left--
		f.land(sum, chosen)
		if f.search.width <= narrowest {
			return
		}
		for _, spare := range f.spare { // two of unknown outcome
			f.left--
			f.land(sum+f.ledger.moves[spare], append(chosen, spare))
		}
		return
	}
	for i := from; i+size <= len(f.moves) && f.left > 0; i++ {
		f.choose(sum+f.ledger.moves[f.moves[i]], append(chosen, f.moves[i]), i+1, size-1)
	}
}

func (f *landings) land(sum uint64, chosen []int) {
	for _, at := range f.reached[sum] {
		stride := append([]int{}, chosen...)
		if at.spare >= 0 {
			if f.search.spare(f.from, at.spare) <= 0 || slices.Contains(chosen, at.spare) {
				continue
			}
			stride = append(stride, at.spare)
		}
		if len(stride) > 0 && f.search.takeable(f.from, at.read) {
			f.strides = append(f.strides, stride)
		}
	}
}
