package check_test

import (
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

const (
	ok, failed, unknown = journal.OK, journal.Failed, journal.Unknown
	strong, local       = journal.Strong, journal.Local
)

// sound expects a history without fault, and broken one that breaks a rule.
func sound(judge func(history) error, h history) {
	GinkgoHelper()
	Expect(judge(h)).To(Succeed())
}

func broken(judge func(history) error, rule string, h history) {
	GinkgoHelper()
	err := judge(h)
	var v *check.Violation
	Expect(errors.As(err, &v)).To(BeTrue(), "%v", err)
	Expect(v.Rule).To(Equal(rule), err.Error())
	Expect(v.Events).NotTo(BeEmpty())
	Expect(err.Error()).To(ContainSubstring(rule + ": "))
}

// txn is a transaction over lists.
func txn(from, to int, outcome journal.Outcome, steps ...journal.Step) journal.Event {
	return happened(from, from, to, outcome, journal.List, strong, steps...)
}

var _ = Describe("Serializable", func() {
	x := func(v int64) journal.Step { return do(journal.Append, "x", v) }
	y := func(v int64) journal.Step { return do(journal.Append, "y", v) }

	DescribeTable("accepts", func(h history) {
		sound(check.Serializable, h)
		sound(check.StrictlySerializable, h)
	},
		Entry("one after the other", history{txn(0, 1, ok, x(1), y(1)), txn(2, 3, ok, read("x", 1), read("y", 1), x(2)), txn(4, 5, ok, read("x", 1, 2))}),
		Entry("transactions that see their own", history{txn(0, 1, ok, x(1), read("x", 1), x(2), read("x", 1, 2)), txn(2, 3, ok, read("x", 1, 2))}),
		Entry("what nobody knows of and somebody saw", history{txn(0, 1, unknown, x(1)), txn(2, 3, ok, read("x", 1))}),
		Entry("what nobody knows of and nobody saw", history{txn(0, 1, ok, x(1)), txn(0, 1, unknown, x(2)), txn(2, 3, ok, read("x", 1))}),
		Entry("two at once, in either order", history{txn(0, 9, ok, x(1)), txn(0, 9, ok, x(2)), txn(10, 11, ok, read("x", 2, 1))}),
		Entry("an old read of a node's own state", history{txn(0, 1, ok, x(1)), txn(2, 3, ok, x(2)), happened(9, 5, 6, ok, journal.List, local, read("x", 1)), txn(7, 8, ok, read("x", 1, 2))}),
	)

	DescribeTable("refuses the textbook's anomalies, by name", func(rule string, h history) {
		broken(check.Serializable, rule, h)
		broken(check.StrictlySerializable, rule, h)
	},
		Entry("dirty write", "G0, dirty write", history{
			txn(0, 9, ok, x(1), y(1)), txn(0, 9, ok, x(2), y(2)), txn(10, 11, ok, read("x", 1, 2), read("y", 2, 1))}),
		Entry("aborted read", "G1a, aborted read", history{txn(0, 1, failed, x(1)), txn(2, 3, ok, read("x", 1))}),
		Entry("intermediate read", "G1b, intermediate read", history{
			txn(0, 9, ok, x(1), x(2)), txn(3, 4, ok, read("x", 1)), txn(10, 11, ok, read("x", 1, 2))}),
		Entry("cyclic information flow", "G1c, cyclic information flow", history{
			txn(0, 9, ok, x(1), read("y", 2)), txn(0, 9, ok, y(2), read("x", 1)), txn(10, 11, ok, read("x", 1), read("y", 2))}),
		Entry("read skew", "G-single, read skew", history{
			txn(0, 9, ok, x(1), y(1)), txn(0, 9, ok, read("x", 1), read("y")), txn(10, 11, ok, read("x", 1), read("y", 1))}),
		Entry("lost update", "G-single, lost update", history{
			txn(0, 9, ok, read("x"), x(1)), txn(0, 9, ok, read("x"), x(2)), txn(10, 11, ok, read("x", 1, 2))}),
		Entry("write skew", "G2, write skew", history{
			txn(0, 9, ok, read("x"), y(1)), txn(0, 9, ok, read("y"), x(2)), txn(10, 11, ok, read("x", 2), read("y", 1))}),
		Entry("half a pair, in a node's own state", "G-single, read skew", history{
			txn(0, 9, ok, x(1), y(1)), happened(9, 3, 4, ok, journal.List, local, read("x", 1), read("y")), txn(10, 11, ok, read("x", 1), read("y", 1))}),
		Entry("orders that exclude each other", "incompatible orders", history{
			txn(0, 1, ok, x(1)), txn(0, 1, ok, x(2)), txn(2, 3, ok, read("x", 1, 2)), txn(2, 3, ok, read("x", 2, 1))}),
		Entry("not seeing oneself", "internal", history{txn(0, 1, ok, x(1), read("x"))}),
		Entry("seeing what one has yet to do", "internal", history{txn(0, 1, ok, read("x", 1), x(1)), txn(2, 3, ok, read("x", 1))}),
		Entry("the same twice", "duplicate", history{txn(0, 1, ok, x(1)), txn(2, 3, ok, read("x", 1, 1))}),
		Entry("what nobody wrote", "out of nothing", history{txn(0, 1, ok, x(1)), txn(2, 3, ok, read("x", 9))}),
	)

	DescribeTable("lets time pass, unless it is to be strict", func(rule string, h history) {
		sound(check.Serializable, h)
		broken(check.StrictlySerializable, rule, h)
	},
		Entry("for a stale read", "G-single-realtime, stale read", history{txn(0, 1, ok, x(1)), txn(4, 5, ok, read("x"))}),
		Entry("for a read that another read had overtaken", "G-single-realtime, stale read", history{
			txn(0, 1, ok, x(1)), txn(0, 30, ok, x(2)), txn(4, 5, ok, read("x", 1, 2)), txn(6, 7, ok, read("x", 1))}),
		Entry("for orders that time excludes", "G0-realtime, dirty write", history{txn(0, 1, ok, x(1)), txn(2, 3, ok, x(2)), txn(4, 5, ok, read("x", 2, 1))}),
	)

	It("cannot judge values that are not unique", func() {
		Expect(check.Serializable(history{txn(0, 1, ok, x(1)), txn(2, 3, ok, x(1))})).To(MatchError(ContainSubstring("cannot be judged")))
	})

	It("tells the cycle in sentences", func() {
		err := check.Serializable(history{txn(0, 9, ok, read("x"), x(1)), txn(0, 9, ok, read("x"), x(2)), txn(10, 11, ok, read("x", 1, 2))})
		Expect(err).To(MatchError(And(ContainSubstring("T2 did not see in x what T1 appended, 1"), ContainSubstring("T2 appended 2 to x after T1 had appended 1"))))
	})
})

var _ = Describe("Converged", func() {
	digest := func(at, node int, index uint64, sum string) journal.Event {
		return journal.Event{At: begun.Add(time.Duration(at)), Kind: journal.Check, Node: node, State: &journal.State{Applied: index, Digest: sum}}
	}
	It("accepts nodes that became one", func() {
		sound(check.Converged, history{digest(0, 0, 5, "a"), digest(1, 1, 6, "b"), digest(2, 0, 6, "b"), digest(3, 1, 6, "b")})
	})
	It("refuses nodes that differ at one index", func() {
		broken(check.Converged, "diverged", history{digest(0, 0, 5, "a"), digest(1, 1, 5, "b")})
	})
	It("refuses nodes that end apart", func() {
		broken(check.Converged, "not converged", history{digest(0, 0, 5, "a"), digest(1, 1, 6, "b")})
	})
})

var _ = Describe("OneLeader", func() {
	shown := func(node int, role string, term uint64) journal.Event {
		return journal.Event{At: begun, Kind: journal.Shown, Node: node, State: &journal.State{Role: role, Term: term}}
	}
	It("accepts one a term", func() {
		sound(check.OneLeader, history{shown(0, "leader", 1), shown(0, "leader", 1), shown(1, "leader", 2), shown(2, "follower", 2)})
	})
	It("refuses two in one", func() {
		broken(check.OneLeader, "two leaders", history{shown(0, "leader", 1), shown(1, "leader", 1)})
	})
})

var _ = Describe("A history in which nothing happened", func() {
	for name, judge := range map[string]func(history) error{
		"Linearizable": check.Linearizable, "Durable": check.Durable, "Serializable": check.Serializable, "Total": check.Total,
		"Counted": check.Counted, "OnlyOnce": check.OnlyOnce, "Monotonic": check.Monotonic, "OwnWrites": check.OwnWrites,
		"Converged": check.Converged, "OneLeader": check.OneLeader, "All": check.All,
		"Available": func(h history) error { return check.Available(h, time.Hour) },
	} {
		It("is no proof for "+name, func() {
			Expect(judge(nil)).To(MatchError(check.ErrNothing))
			Expect(judge(history{{At: begun, Kind: journal.Note}})).To(MatchError(check.ErrNothing))
		})
	}

	It("is judged by what there is", func() {
		h := history{happened(1, 0, 1, ok, journal.Unique, "", do(journal.Insert, "n", 1)), happened(2, 0, 1, ok, journal.Unique, "", do(journal.Insert, "n", 1))}
		Expect(check.All(h)).To(MatchError(ContainSubstring("taken twice")))
	})
})
