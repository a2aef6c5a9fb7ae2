package check_test

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

var _ = Describe("Counted", func() {
	inc := func(from, to int, outcome journal.Outcome, by int64) journal.Event {
		return happened(1, from, to, outcome, journal.Counter, "", do(journal.Increment, "c", by))
	}
	at := func(from int, n int64) journal.Event {
		return happened(2, from, from+1, ok, journal.Counter, strong, read("c", n))
	}
	DescribeTable("accepts", func(h history) { sound(check.Counted, h) },
		Entry("the sum", history{inc(0, 1, ok, 1), inc(2, 3, ok, 2), at(4, 3), final(0, journal.Counter, read("c", 3))}),
		Entry("what may have been added", history{inc(0, 1, ok, 1), inc(2, 3, unknown, 2), at(4, 1), at(6, 3)}),
		Entry("what is being added", history{inc(0, 1, ok, 1), inc(2, 30, ok, 2), at(4, 1), at(6, 3)}),
	)
	DescribeTable("refuses", func(h history) { broken(check.Counted, "miscounted", h) },
		Entry("a lost update", history{inc(0, 1, ok, 1), inc(0, 1, ok, 1), at(4, 1)}),
		Entry("one that was applied twice", history{inc(0, 1, ok, 1), at(4, 2)}),
		Entry("one that failed and was applied", history{inc(0, 1, ok, 1), inc(2, 3, failed, 1), final(1, journal.Counter, read("c", 2))}),
		Entry("a stale read", history{inc(0, 1, ok, 1), at(4, 0)}),
	)
})
