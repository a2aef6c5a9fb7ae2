package digraph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestDigraph(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Digraph")
}

// randomHops are edges between a few transactions. Real time leads forward.
func randomHops(r *rand.Rand, nodes int) (hops []Hop) {
	for range r.IntN(3 * nodes) {
		h := Hop{int32(r.IntN(nodes)), int32(r.IntN(nodes)), []Kind{WW, WR, RW, RW, RT}[r.IntN(5)]}
		if h.From != h.To && (h.Kind != RT || h.From < h.To) && !slices.Contains(hops, h) {
			hops = append(hops, h)
		}
	}
	return hops
}

func graphOf(nodes int, hops []Hop) *Graph {
	s := NewSketch(nodes, len(hops))
	for _, h := range hops {
		s.Edge(h.From, h.To, h.Kind)
	}
	return s.Graph()
}

// fits tells whether a closed walk is a cycle of the shape.
func fits(cycle []Hop, s Shape, realTime bool) bool {
	anti, adjacent, met := 0, false, map[int32]bool{}
	for i, h := range cycle {
		next := cycle[(i+1)%len(cycle)]
		if h.To != next.From || met[h.From] || h.Kind == RT && !realTime {
			return false
		}
		met[h.From] = true
		if h.Kind == RW {
			anti++
			adjacent = adjacent || next.Kind == RW
		}
	}
	return s == Anyhow || anti == 0 && s != Single || anti == 1 && s != Without || s == Separate && !adjacent
}

// anyCycle tries all paths.
func anyCycle(hops, path []Hop, s Shape, realTime bool) bool {
	for _, h := range hops {
		switch {
		case len(path) > 0 && path[len(path)-1].To != h.From:
			continue
		case slices.ContainsFunc(path, func(p Hop) bool { return p.From == h.From }):
			continue
		}
		longer := append(slices.Clone(path), h)
		if longer[0].From == h.To && fits(longer, s, realTime) || anyCycle(hops, longer, s, realTime) {
			return true
		}
	}
	return false
}

var _ = Describe("Hunt", func() {
	for s, name := range []string{"no anti-dependency", "one anti-dependency", "anti-dependencies apart", "any anti-dependencies"} {
		for _, realTime := range []bool{false, true} {
			It(fmt.Sprintf("finds a cycle with %s where there is one, in real time: %v", name, realTime), func() {
				r := rand.New(rand.NewPCG(1, 1))
				there := 0
				for n := range 4000 {
					nodes := 2 + r.IntN(5)
					hops := randomHops(r, nodes)
					found := false
					NewHunt(graphOf(nodes, hops)).Cycles(Shape(s), realTime, func(cycle []Hop) {
						found = true
						Expect(fits(cycle, Shape(s), realTime)).To(BeTrue(), "graph %d: %v of %v", n, cycle, hops)
						for _, h := range cycle {
							Expect(hops).To(ContainElement(h))
						}
					})
					Expect(found).To(Equal(anyCycle(hops, nil, Shape(s), realTime)), "graph %d: %v", n, hops)
					if found {
						there++
					}
				}
				Expect(there).To(And(BeNumerically(">", 100), BeNumerically("<", 3500)))
			})
		}
	}
})

var _ = Describe("Fan", func() {
	It("leads from a transaction to all targets but itself", func() {
		for size := range 7 {
			for from := range int32(8) {
				s := NewSketch(8, 0)
				var targets []int32
				for t := range size {
					targets = append(targets, int32(t+1))
				}
				s.Spread(from, s.Fan(targets), RW)
				g := s.Graph()
				want := slices.DeleteFunc(slices.Clone(targets), func(t int32) bool { return t == from })
				Expect(reached(g, from)).To(ConsistOf(want), "from %d to %v", from, targets)
			}
		}
	})
})

// reached are the transactions that one dependency leads to.
func reached(g *Graph, from int32) []int32 {
	found := map[int32]bool{}
	var follow func(node int32)
	follow = func(node int32) {
		for _, e := range g.Edges(node) {
			if to := Target(e); g.isJoint(to) {
				follow(to)
			} else {
				found[to] = true
			}
		}
	}
	follow(from)
	all := make([]int32, 0, len(found))
	for t := range found {
		all = append(all, t)
	}
	return all
}

var _ = Describe("Topological", func() {
	It("ranks what has no cycle, and most of what has one", func() {
		r := rand.New(rand.NewPCG(1, 2))
		for n := range 2000 {
			nodes := 2 + r.IntN(5)
			hops := randomHops(r, nodes)
			g := graphOf(nodes, hops)
			rank, ok := g.Topological(Data | RT)
			Expect(ok).To(Equal(g.Components(Data|RT).Count == 0), "graph %d: %v", n, hops)
			Expect(ok).NotTo(Equal(anyCycle(hops, nil, Anyhow, true)), "graph %d: %v", n, hops)
			for _, h := range hops {
				Expect(!ok || rank[h.From] < rank[h.To]).To(BeTrue(), "graph %d: %v", n, hops)
			}
		}
	})
})
