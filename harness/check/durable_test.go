package check_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

var _ = Describe("Durable", func() {
	add := func(from int, outcome journal.Outcome, v int64) journal.Event {
		return happened(1, from, from+1, outcome, journal.Set, "", do(journal.Add, "s", v))
	}
	remove := func(outcome journal.Outcome, v int64) journal.Event {
		return happened(1, 2, 3, outcome, journal.Set, "", do(journal.Remove, "s", v))
	}
	in := func(node int, values ...int64) journal.Event { return final(node, journal.Set, read("s", values...)) }

	DescribeTable("accepts", func(h history) { sound(check.Durable, h) },
		Entry("what was acknowledged", history{add(0, ok, 1), add(2, ok, 2), in(0, 1, 2), in(1, 2, 1)}),
		Entry("an unknown outcome, there or not", history{add(0, ok, 1), add(2, unknown, 2), add(4, unknown, 3), in(0, 1, 2)}),
		Entry("what was removed, and is gone", history{add(0, ok, 1), remove(ok, 1), add(4, ok, 2), in(0, 2)}),
		Entry("what may have been removed", history{add(0, ok, 1), remove(unknown, 1), in(0)}),
		Entry("what may have been removed, and was not", history{add(0, ok, 1), remove(unknown, 1), in(0, 1)}),
		Entry("a strong read beside an add", history{add(0, ok, 1), happened(2, 0, 5, ok, journal.Set, strong, read("s")), in(0, 1)}),
	)

	DescribeTable("refuses", func(rule string, h history) { broken(check.Durable, rule, h) },
		Entry("an acknowledged write that is lost on one node", "acknowledged and lost",
			history{add(0, ok, 1), add(2, ok, 2), in(0, 1, 2), in(1, 1)}),
		Entry("a failed write that is there", "failed and there", history{add(0, ok, 1), add(2, failed, 2), in(0, 1, 2)}),
		Entry("a deleted row that came back", "removed and there", history{add(0, ok, 1), remove(ok, 1), in(0, 1)}),
		Entry("a row that no operation wrote", "out of nothing", history{add(0, ok, 1), in(0, 1, 7)}),
		Entry("a row that is there twice", "applied twice", history{add(0, ok, 1), in(0, 1, 1)}),
		Entry("a strong read that misses what was acknowledged", "acknowledged and lost",
			history{add(0, ok, 1), happened(2, 4, 5, ok, journal.Set, strong, read("s")), in(0, 1)}),
		Entry("an append that is lost", "acknowledged and lost", history{happened(1, 0, 1, ok, journal.List, "",
			do(journal.Append, "l", 1)), final(0, journal.List, read("l"))}),
		Entry("a name that is lost", "acknowledged and lost", history{happened(1, 0, 1, ok, journal.Unique, "",
			do(journal.Insert, "n", 1)), final(0, journal.Unique, read("n"))}),
	)

	It("proves nothing without a final read", func() {
		Expect(check.Durable(history{add(0, ok, 1)})).To(MatchError(check.ErrNothing))
	})
})
