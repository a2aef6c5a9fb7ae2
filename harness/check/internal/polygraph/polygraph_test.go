package polygraph

import (
	"fmt"
	"math/rand/v2"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestPolygraph(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Polygraph")
}

// problem is a polygraph before it is made.
type problem struct {
	nodes   int
	edges   []Edge
	choices [][2][]Edge
}

func randomProblem(r *rand.Rand) problem {
	p := problem{nodes: 3 + r.IntN(10)}
	edge := func() Edge { return Edge{int32(r.IntN(p.nodes)), int32(r.IntN(p.nodes))} }
	for range r.IntN(p.nodes) {
		if e := edge(); e.From < e.To {
			p.edges = append(p.edges, e)
		}
	}
	for range 1 + r.IntN(8) {
		a := edge()
		c := [2][]Edge{{a}, {{a.To, a.From}}}
		for side := range c {
			for range r.IntN(3) {
				c[side] = append(c[side], edge())
			}
		}
		p.choices = append(p.choices, c)
	}
	return p
}

func (p problem) polygraph(far int32) *Polygraph {
	rank := make([]int32, p.nodes)
	for i := range rank {
		rank[i] = int32(i)
	}
	g := New(rank)
	g.farBack = far
	for _, e := range p.edges {
		g.Add(e.From, e.To)
	}
	for _, c := range p.choices {
		g.Choose(c[0], c[1])
	}
	return g
}

// possible tries all ways to choose.
func (p problem) possible() bool {
	for way := range 1 << len(p.choices) {
		edges := append([]Edge(nil), p.edges...)
		for i, c := range p.choices {
			edges = append(edges, c[way>>i&1]...)
		}
		if !cyclic(p.nodes, edges) {
			return true
		}
	}
	return false
}

// cyclic follows all edges as often as there are nodes, to see whether a node reaches itself.
func cyclic(nodes int, edges []Edge) bool {
	reaches := make([][]bool, nodes)
	for v := range reaches {
		reaches[v] = make([]bool, nodes)
	}
	for range nodes {
		for _, e := range edges {
			reaches[e.From][e.To] = true
			for w := range nodes {
				reaches[e.From][w] = reaches[e.From][w] || reaches[e.To][w]
			}
		}
	}
	for v := range nodes {
		if reaches[v][v] {
			return true
		}
	}
	return false
}

var _ = Describe("Solve", func() {
	for _, far := range []int32{0, 1, farBack} {
		It(fmt.Sprintf("agrees with trying all ways, going back %d choices at once", far), func() {
			r := rand.New(rand.NewPCG(1, 1))
			counts := map[Answer]int{}
			for n := range 1500 {
				problem := randomProblem(r)
				p := problem.polygraph(far)
				answer := p.Solve(1 << 20)
				counts[answer]++
				possible := answer == Yes
				Expect(possible).To(Equal(problem.possible()), "problem %d: %+v", n, problem)
				if answer == Yes {
					for i, c := range problem.choices {
						for _, e := range c[(1-p.picked[i])/2] {
							Expect(p.Rank(e.From)).To(BeNumerically("<", p.Rank(e.To)), "problem %d", n)
						}
					}
				}
			}
			Expect(counts[Yes]).To(BeNumerically(">", 150))
			Expect(counts[No]).To(BeNumerically(">", 150))
		})
	}

	It("gives up past its bound", func() {
		p := New(make([]int32, 0))
		Expect(p.Solve(1)).To(Equal(Yes), "there is nothing to choose")
		p = tangle().polygraph(farBack)
		Expect(p.Solve(10_000)).To(Equal(Undecided))
	})
})

// tangle is a random problem that takes many steps.
func tangle() problem {
	r := rand.New(rand.NewPCG(5, 9))
	p := problem{nodes: 180}
	edge := func() Edge { return Edge{int32(r.IntN(p.nodes)), int32(r.IntN(p.nodes))} }
	for range 540 {
		p.choices = append(p.choices, [2][]Edge{{edge()}, {edge()}})
	}
	return p
}
