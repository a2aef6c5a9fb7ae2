package promises_test

import (
	"errors"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/promises"
	"github.com/rejoin-db/rejoin/harness/target"
)

// node is a node that is only named.
type node int

func (n node) Index() int     { return int(n) }
func (n node) String() string { return fmt.Sprintf("node %d", int(n)) }

var _ = Describe("A monitor", func() {
	var m *promises.Monitor
	broken := func() error { return errors.Join(m.Broken()...) }

	BeforeEach(func() { m = promises.New(3) })

	It("knows which of the latest acknowledged requests are missing", func() {
		for _, id := range []string{"a", "b", "c", "d"} {
			m.Acknowledge(id)
		}
		Expect(m.Missing(map[string]bool{"c": true})).To(ConsistOf("b", "d"), "a is no longer kept")
		Expect(m.Missing(map[string]bool{"b": true, "c": true, "d": true})).To(BeEmpty())
	})

	It("keeps no requests for nodes that remember none", func() {
		m = promises.New(0)
		m.Acknowledge("a")
		Expect(m.Missing(nil)).To(BeEmpty())
	})

	It("finds two leaders of one term, and reports them once", func() {
		Expect(m.Led(node(2), []uint64{3, 4})).To(Succeed())
		Expect(m.Led(node(2), []uint64{4})).To(Succeed())
		Expect(broken()).To(Succeed())
		Expect(m.Led(node(1), []uint64{5, 4})).To(MatchError("a promise of the cluster is broken: node 1 and node 2 both led in term 4"))
		Expect(m.Led(node(0), []uint64{4})).To(Succeed())
		Expect(broken()).To(MatchError(promises.ErrBroken))
	})

	vote := func(term uint64, candidate string) target.Vote { return target.Vote{Term: term, For: candidate} }

	It("finds a vote that was forgotten", func() {
		Expect(m.Voted(node(1), vote(7, "n0"), m.Now())).To(Succeed())
		Expect(m.Voted(node(1), vote(0, ""), m.Now())).To(
			MatchError("a promise of the cluster is broken: node 1 had voted for n0 in term 7, and has forgotten it"))
		Expect(broken()).To(MatchError(promises.ErrBroken))
	})

	It("ignores an answer that an earlier one may have overtaken", func() {
		early := m.Now()
		Expect(m.Voted(node(1), vote(7, "n0"), m.Now())).To(Succeed())
		Expect(m.Voted(node(1), vote(6, "n2"), early)).To(Succeed())
	})

	It("lets a node with a new disk, or one that lies, forget its vote", func() {
		for i, forget := range []func(int){m.Forget, m.MayForget} {
			Expect(m.Voted(node(i), vote(7, "n0"), m.Now())).To(Succeed())
			forget(i)
			Expect(m.Voted(node(i), vote(1, "n0"), m.Now())).To(Succeed())
		}
		Expect(broken()).To(Succeed())
	})
})
