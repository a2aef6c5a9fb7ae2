package consistency

import (
	"context"
	"errors"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
)

// valuesOnly are rows of which only the values are asked for.
type valuesOnly struct {
	target.Rows
	values []any
	err    error
}

func (r valuesOnly) Row() ([]any, error) { return r.values, r.err }

// node is a node that is only named.
type node int

func (n node) Index() int                                 { return int(n) }
func (n node) ID() string                                 { return "n" }
func (n node) Query(context.Context) (target.Rows, error) { return nil, nil }
func (n node) Wrap(err error) error                       { return fmt.Errorf("compare on node %d (n): %w", int(n), err) }

var _ = Describe("multiset", func() {
	all := &differing{hasher: newHasher(), sampling: 1}

	It("holds no more than it may, and then claims of no row that it is missing", func() {
		a, b := newMultiset(node(0)), newMultiset(node(1))
		large := strings.Repeat("x", maxMultisetBytes/4)
		for _, s := range []*multiset{a, b} {
			for _, key := range []string{"1", "2", "3", "4", "5", "6"} {
				if s == b {
					key = string(rune('7' - key[0] + '0')) // the same rows in the other order
				}
				Expect(s.add([]byte(key+large), valuesOnly{values: []any{key, large}}, all)).To(Succeed())
			}
			Expect(s.full()).To(BeTrue())
			Expect(s.counts).To(HaveLen(4))
			Expect(s.total).To(Equal(6))
		}
		Expect(compareMultisets("q", nil, a, b, all)).To(MatchError(`node 0 (n) and node 1 (n) differ on "q": ` +
			"of 6 and of 6 rows some differ, too many or too large to be compared one by one"))
	})

	It("holds a row that is there often only once", func() {
		a := newMultiset(node(0))
		for range 100_000 {
			Expect(a.add([]byte("row"), valuesOnly{values: []any{"row"}}, all)).To(Succeed())
		}
		Expect(a.full()).To(BeFalse())
		Expect(a.counts).To(Equal(map[string]int{"row": 100_000}))
	})

	It("passes on that a row cannot be read", func() {
		why := errors.New("malformed")
		Expect(newMultiset(node(2)).add([]byte("row"), valuesOnly{err: why}, all)).To(MatchError("compare on node 2 (n): malformed"))
	})

	It("takes the same keys on every node", func() {
		some := &differing{hasher: newHasher(), sampling: 10}
		kept := 0
		for key := range int64(10_000) {
			first := some.sampled([]any{key, "a"})
			Expect(some.sampled([]any{key, "b"})).To(Equal(first))
			if first {
				kept++
			}
		}
		Expect(kept).To(BeNumerically("~", 1000, 200))
	})
})
