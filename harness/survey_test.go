package harness_test

import (
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/consistency"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/promises"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("A survey", func() {
	It("is empty without faults in force, whatever was requested", func(ctx SpecContext) {
		c, _ := boot()
		Expect(c.SetClock(ctx, 1, 5)).To(Succeed())
		found, err := c.Survey(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(found.Lines()).To(BeEmpty(), "the fake's clocks are always right")
		Expect(c.Faults().Lines()).NotTo(BeEmpty())
	}, patience)

	It("is refused if the target cannot tell, and after Close", func(ctx SpecContext) {
		plain, _ := bootOf(&fake.Target{Plain: true})
		_, err := plain.Survey(ctx)
		Expect(err).To(MatchError("survey: the target cannot inspect faults in force"))
		Expect(err).To(MatchError(harness.ErrUnsupported))
		Expect(plain.Close()).To(Succeed())
		Expect(plain.Survey(ctx)).Error().To(MatchError(harness.ErrClosed))
	}, patience)
})

var _ = Describe("A node that diverges", func() {
	It("runs statements outside its log, and that is recorded", func(ctx SpecContext) {
		c, f := boot()
		Expect(node(c, 1).Diverge(ctx, "DELETE FROM t")).To(Succeed())
		Expect(f.Calls()).To(ContainElement("diverge 1 DELETE FROM t"))
		Expect(c.Journal().Events()).To(ContainElement(And(HaveField("Kind", journal.Fault), HaveField("Node", 1),
			HaveField("Fault.Kind", fault.KindDiverge), HaveField("Text", "DELETE FROM t"))))
		f.OnCall = func(context.Context, string) error { return errors.New("no such table") }
		Expect(node(c, 2).Diverge(ctx, "DELETE FROM t")).To(MatchError("diverge on node 2 (n2): no such table"))
	}, patience)

	It("is refused if the target cannot, and for a node that was removed", func(ctx SpecContext) {
		plain, _ := bootOf(&fake.Target{Plain: true})
		Expect(node(plain, 0).Diverge(ctx, "DELETE FROM t")).To(
			MatchError("diverge on node 0 (n0): the target cannot change the data of one replica alone"))
		c, _ := boot()
		gone := node(c, 1)
		Expect(c.RemoveNode(ctx, 1)).To(Succeed())
		Expect(gone.Diverge(ctx, "DELETE FROM t")).To(MatchError(ContainSubstring("was removed")))
	}, patience)
})

// blind is a comparer that finds no difference.
type blind struct{ asked *[]consistency.Comparison }

func (b blind) Compare(_ context.Context, c consistency.Comparison) error {
	*b.asked = append(*b.asked, c)
	return nil
}

// watchesNothing watches no promise.
type watchesNothing struct{ harness.Promises }

func (watchesNothing) Broken() []error                                { return nil }
func (watchesNothing) Missing(map[string]bool) []string               { return nil }
func (watchesNothing) Led(promises.Node, []uint64) error              { return nil }
func (watchesNothing) Acknowledge(string)                             {}
func (watchesNothing) Voted(promises.Node, target.Vote, uint64) error { return nil }

var _ = Describe("The comparer and the watcher", func() {
	It("can be replaced", func(ctx SpecContext) {
		var asked []consistency.Comparison
		var inner harness.Promises
		c, f := boot(harness.Comparing(blind{&asked}),
			harness.Watching(func(p harness.Promises) harness.Promises { inner = p; return watchesNothing{p} }))
		f.Answers("SELECT v FROM t ORDER BY v", fake.Table("a"))
		f.Node(2).Answers("SELECT v FROM t ORDER BY v", fake.Table("b"))
		Expect(c.VerifyDataConsistency(ctx, "SELECT v FROM t ORDER BY v")).To(Succeed())
		Expect(asked).To(HaveExactElements(And(HaveField("Nodes", HaveLen(3)), HaveField("Ordered", true))))

		f.OnRemembered = func(context.Context, int) (map[string]bool, error) { return nil, nil }
		Expect(c.ExecuteOnRandom(ctx, "INSERT INTO t VALUES (1)")).Error().NotTo(HaveOccurred())
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
		inner.Acknowledge("x")
		Expect(inner.Missing(nil)).To(Equal([]string{"x"}))
	}, patience)

	It("must be given", func(ctx SpecContext) {
		Expect(harness.Boot(ctx, &fake.Target{}, harness.Comparing(nil))).Error().To(MatchError("boot: Comparing was given no Comparer"))
		Expect(harness.Boot(ctx, &fake.Target{}, harness.Watching(nil))).Error().To(MatchError("boot: Watching was given no function"))
	}, patience)
})
