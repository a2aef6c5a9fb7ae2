package check_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

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
		Entry("one after the other", history{
			txn(0, 1, ok, x(1), y(1)), txn(2, 3, ok, read("x", 1), read("y", 1), x(2)), txn(4, 5, ok, read("x", 1, 2))}),
		Entry("transactions that see their own", history{
			txn(0, 1, ok, x(1), read("x", 1), x(2), read("x", 1, 2)), txn(2, 3, ok, read("x", 1, 2))}),
		Entry("an unknown outcome that was seen", history{txn(0, 1, unknown, x(1)), txn(2, 3, ok, read("x", 1))}),
		Entry("an unknown outcome that was not seen", history{
			txn(0, 1, ok, x(1)), txn(0, 1, unknown, x(2)), txn(2, 3, ok, read("x", 1))}),
		Entry("two at once, in either order", history{txn(0, 9, ok, x(1)), txn(0, 9, ok, x(2)), txn(10, 11, ok, read("x", 2, 1))}),
		Entry("an old read of a node's own state", history{
			txn(0, 1, ok, x(1)), txn(2, 3, ok, x(2)), happened(9, 5, 6, ok, journal.List, local, read("x", 1)), txn(7, 8, ok, read("x", 1, 2))}),
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
		Entry("write skew", "G2-item, write skew", history{
			txn(0, 9, ok, read("x"), y(1)), txn(0, 9, ok, read("y"), x(2)), txn(10, 11, ok, read("x", 2), read("y", 1))}),
		Entry("half a pair, in a node's own state", "G-single, read skew", history{
			txn(0, 9, ok, x(1), y(1)), happened(9, 3, 4, ok, journal.List, local, read("x", 1), read("y")),
			txn(10, 11, ok, read("x", 1), read("y", 1))}),
		Entry("orders that exclude each other", "incompatible orders", history{
			txn(0, 1, ok, x(1)), txn(0, 1, ok, x(2)), txn(2, 3, ok, read("x", 1, 2)), txn(2, 3, ok, read("x", 2, 1))}),
		Entry("not seeing oneself", "internal", history{txn(0, 1, ok, x(1), read("x"))}),
		Entry("seeing what one has yet to do", "internal", history{txn(0, 1, ok, read("x", 1), x(1)), txn(2, 3, ok, read("x", 1))}),
		Entry("the same twice", "duplicate", history{txn(0, 1, ok, x(1)), txn(2, 3, ok, read("x", 1, 1))}),
		Entry("a value that no transaction wrote", "out of nothing", history{txn(0, 1, ok, x(1)), txn(2, 3, ok, read("x", 9))}),
	)

	DescribeTable("lets time pass, unless it is to be strict", func(rule string, h history) {
		sound(check.Serializable, h)
		broken(check.StrictlySerializable, rule, h)
	},
		Entry("for a stale read", "G-single-realtime, stale read", history{txn(0, 1, ok, x(1)), txn(4, 5, ok, read("x"))}),
		Entry("for a read that another read had overtaken", "G-single-realtime, stale read", history{
			txn(0, 1, ok, x(1)), txn(0, 30, ok, x(2)), txn(4, 5, ok, read("x", 1, 2)), txn(6, 7, ok, read("x", 1))}),
		Entry("for orders that time excludes", "G0-realtime, dirty write", history{
			txn(0, 1, ok, x(1)), txn(2, 3, ok, x(2)), txn(4, 5, ok, read("x", 2, 1))}),
	)

	It("cannot judge values that are not unique", func() {
		Expect(check.Serializable(history{txn(0, 1, ok, x(1)), txn(2, 3, ok, x(1))})).To(MatchError(ContainSubstring("cannot be judged")))
	})

	It("tells the cycle in sentences", func() {
		err := check.Serializable(history{txn(0, 9, ok, read("x"), x(1)), txn(0, 9, ok, read("x"), x(2)), txn(10, 11, ok, read("x", 1, 2))})
		Expect(err).To(MatchError(And(
			ContainSubstring("T2 did not see in x what T1 appended, 1"), ContainSubstring("T2 appended 2 to x after T1 had appended 1"))))
	})
})

// rw is a transaction over registers.
func rw(from, to int, outcome journal.Outcome, steps ...journal.Step) journal.Event {
	return happened(from, from, to, outcome, journal.Registers, strong, steps...)
}

// levelsByStrength are the judges of transactions, the weakest first.
var levelsByStrength = []func(history) error{
	check.ReadCommitted, check.SnapshotIsolation, check.Serializable, check.StrictlySerializable,
}

var _ = Describe("Levels of isolation", func() {
	const committed, snapshot, serial, strict = 0, 1, 2, 3
	a := func(key string, v int64) journal.Step { return do(journal.Append, key, v) }
	w := func(key string, v int64) journal.Step { return do(journal.Write, key, v) }

	DescribeTable("forbid an anomaly from one level on, and allow it before", func(from int, rule string, h history) {
		for i, judge := range levelsByStrength {
			if i < from {
				sound(judge, h)
			} else {
				broken(judge, rule, h)
			}
		}
	},
		Entry("dirty write", committed, "G0, dirty write", history{
			txn(0, 9, ok, a("x", 1), a("y", 1)), txn(0, 9, ok, a("x", 2), a("y", 2)), txn(10, 11, ok, read("x", 1, 2), read("y", 2, 1))}),
		Entry("aborted read", committed, "G1a, aborted read", history{rw(0, 1, failed, w("x", 1)), rw(2, 3, ok, read("x", 1))}),
		Entry("intermediate read", committed, "G1b, intermediate read", history{
			rw(0, 9, ok, w("x", 1), w("x", 2)), rw(0, 9, ok, read("x", 1))}),
		Entry("a list of which the first append is lost", committed, "G1b, intermediate read", history{
			txn(0, 9, ok, a("x", 1), a("x", 2)), txn(0, 9, ok, read("x", 2))}),
		Entry("cyclic information flow", committed, "G1c, cyclic information flow", history{
			rw(0, 9, ok, w("x", 1), read("y", 2)), rw(0, 9, ok, w("y", 2), read("x", 1))}),
		Entry("appends of one transaction that another's come between", committed, "G0, dirty write", history{
			txn(0, 9, ok, a("x", 1), a("x", 3)), txn(0, 9, ok, a("x", 2)), txn(10, 11, ok, read("x", 1, 2, 3))}),
		Entry("appends of one transaction in the wrong order", committed, "incompatible orders", history{
			txn(0, 9, ok, a("x", 1), a("x", 2)), txn(10, 11, ok, read("x", 2, 1))}),
		Entry("lost update", snapshot, "G-single, lost update", history{
			rw(0, 9, ok, read("x"), w("x", 1)), rw(0, 9, ok, read("x"), w("x", 2))}),
		Entry("lost update of lists that were never read again", snapshot, "G-single, lost update", history{
			txn(0, 9, ok, read("x"), a("x", 1)), txn(0, 9, ok, read("x"), a("x", 2))}),
		Entry("read skew", snapshot, "G-single, read skew", history{
			rw(0, 9, ok, w("x", 1), w("y", 1)), rw(0, 9, ok, read("x", 1), read("y"))}),
		Entry("a read that does not repeat", snapshot, "G-single, read skew", history{
			rw(0, 9, ok, w("x", 1)), rw(0, 9, ok, read("x"), read("x", 1))}),
		Entry("half of a transaction of unknown outcome", snapshot, "G-single, read skew", history{
			txn(0, 1, unknown, a("x", 1), a("y", 2)), txn(8, 9, ok, read("x", 1), read("y"))}),
		Entry("half of a transaction whose answer was lost", snapshot, "G-single, read skew", history{
			unread(txn(0, 1, ok, a("x", 1), a("y", 2), journal.Step{Do: journal.Read, Key: "x"})), txn(0, 9, ok, read("x", 1), read("y"))}),
		Entry("long fork", snapshot, "G-nonadjacent, long fork", history{
			txn(0, 9, ok, a("x", 1)), txn(0, 9, ok, a("y", 1)), txn(0, 9, ok, read("x", 1), read("y")), txn(0, 9, ok, read("x"), read("y", 1))}),
		Entry("a cycle whose anti-dependencies are apart", snapshot, "G-nonadjacent, anti-dependencies apart", history{
			txn(0, 9, ok, read("x"), read("z", 1)), txn(0, 9, ok, a("x", 1)), txn(0, 9, ok, read("x", 1), a("y", 1)),
			txn(0, 9, ok, read("y", 1), read("u")), txn(0, 9, ok, a("u", 1), a("z", 1))}),
		Entry("write skew", serial, "G2-item, write skew", history{
			rw(0, 9, ok, read("x"), w("y", 1)), rw(0, 9, ok, read("y"), w("x", 2))}),
		Entry("stale read", strict, "G-single-realtime, stale read", history{rw(0, 1, ok, w("x", 1)), rw(4, 5, ok, read("x"))}),
		Entry("stale final read, whatever its time", strict, "G-single-realtime, stale read", history{
			rw(0, 5000, ok, w("x", 1)), final(1, journal.Registers, read("x"))}),
		Entry("an unknown transaction that is seen before it began", strict, "G1c-realtime, cyclic information flow", history{
			rw(4, 5, unknown, w("x", 1)), rw(0, 1, ok, read("x", 1))}),
		Entry("an unknown transaction that one final read saw and the other did not", strict, "G-single-realtime, stale read", history{
			rw(0, 1, unknown, w("x", 1)), asLocal(rw(2, 3, ok, read("x", 1))), final(1, journal.Registers, read("x"))}),
		Entry("a value that was overwritten before", strict, "G-single-realtime, stale read", history{
			rw(0, 1, ok, w("x", 1)), rw(2, 3, ok, w("x", 2)), rw(4, 5, ok, read("x", 1), w("y", 1)), rw(0, 9, ok, read("y", 1), read("x", 1))}),
	)

	DescribeTable("allow", func(h history) {
		for _, judge := range levelsByStrength {
			sound(judge, h)
		}
		sound(check.RepeatableRead, h)
	},
		Entry("ends and beginnings of one instant in either order", history{rw(0, 1, ok, w("x", 1)), rw(1, 2, ok, read("x"))}),
		Entry("what failed and was not seen", history{rw(0, 1, failed, w("x", 1)), rw(2, 3, ok, read("x"))}),
		Entry("an unknown write after long", history{
			rw(0, 1, unknown, w("x", 1)), rw(2, 3, ok, read("x")), rw(4, 5, ok, read("x", 1))}),
		Entry("registers whose order only the reads tell", history{
			rw(0, 9, ok, w("x", 1)), rw(0, 9, ok, w("x", 2)), rw(0, 3, ok, read("x", 2)), rw(4, 9, ok, read("x", 1))}),
		Entry("a local read of an old state", history{
			rw(0, 1, ok, w("x", 1)), asLocal(rw(2, 3, ok, read("x"))), rw(4, 5, ok, read("x", 1))}),
	)

	It("report every anomaly, the smallest first", func() {
		err := check.Serializable(history{
			txn(0, 9, ok, a("a", 1), a("b", 1)), txn(0, 9, ok, a("a", 2), a("b", 2)), txn(10, 11, ok, read("a", 1, 2), read("b", 2, 1)),
			rw(0, 9, ok, read("x"), w("y", 1)), rw(0, 9, ok, read("y"), w("x", 2)),
			txn(12, 13, failed, a("c", 1)), txn(12, 13, ok, read("c", 1), read("d")), txn(12, 13, ok, a("d", 5), read("d")),
		})
		Expect(err).To(MatchError(And(
			HavePrefix("internal"), ContainSubstring("G0, dirty write"), ContainSubstring("G1a, aborted read"), ContainSubstring("1 more"))))
	})

	It("say which cycle it is in words", func() {
		Expect(check.Serializable(history{rw(0, 9, ok, read("x"), w("x", 1)), rw(0, 9, ok, read("x"), w("x", 2)),
			rw(10, 11, ok, read("x", 2))})).
			To(MatchError(ContainSubstring("T2 wrote 2 to x after T1 had written 1; T2 did not see in x what T1 wrote, 1")))
	})

	It("cannot judge values that are not unique", func() {
		for _, judge := range levelsByStrength {
			Expect(judge(history{rw(0, 1, ok, w("x", 1)), rw(2, 3, unknown, w("x", 1))})).To(MatchError(check.ErrInvalid))
		}
	})

	It("prove nothing without a read of known result", func() {
		h := history{
			txn(0, 1, ok, a("x", 1)), unread(txn(2, 3, ok, journal.Step{Do: journal.Read, Key: "x"})),
			txn(4, 5, failed, a("x", 2)), txn(6, 7, unknown, a("x", 3)),
		}
		for _, judge := range levelsByStrength {
			Expect(judge(h)).To(MatchError(check.ErrNothing))
			Expect(judge(h)).To(MatchError(And(
				ContainSubstring("2 left out: transactions in a history without a read of known result"),
				ContainSubstring("1 left out: failed transactions"), ContainSubstring("1 left out: transactions of unknown outcome"))))
		}
	})
})

func unread(e journal.Event) journal.Event {
	e.Op.Unread = true
	return e
}

func asLocal(e journal.Event) journal.Event {
	e.Op.Level = local
	return e
}
