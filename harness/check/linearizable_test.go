package check_test

import (
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// reg is an operation on the register x.
func reg(client, from, to int, outcome journal.Outcome, s journal.Step) journal.Event {
	return happened(client, from, to, outcome, journal.Register, strong, s)
}

var _ = Describe("Linearizable", func() {
	w := func(v int64) journal.Step { return do(journal.Write, "x", v) }

	DescribeTable("accepts", func(h history) { sound(check.Linearizable, h) },
		Entry("one after the other", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, read("x", 1)), reg(1, 4, 5, ok, w(2)),
			reg(2, 6, 7, ok, read("x", 2))}),
		Entry("a read of nothing before the first write", history{reg(1, 0, 1, ok, read("x")), reg(1, 2, 3, ok, w(1))}),
		Entry("reads of both values while a write is under way", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 9, ok, w(2)),
			reg(2, 3, 4, ok, read("x", 1)), reg(3, 5, 6, ok, read("x", 2))}),
		Entry("a write of unknown outcome that took effect", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, unknown, w(2)),
			reg(2, 8, 9, ok, read("x", 2))}),
		Entry("a write of unknown outcome that never took effect", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, unknown, w(2)),
			reg(2, 8, 9, ok, read("x", 1))}),
		Entry("an unknown write that takes effect long after", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, unknown, w(2)),
			reg(2, 4, 5, ok, read("x", 1)), reg(2, 8, 9, ok, read("x", 2))}),
		Entry("a compare that matches", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, cas(1, 2, 1)), reg(2, 8, 9, ok, read("x", 2))}),
		Entry("a compare that does not", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, cas(5, 2, 0)), reg(2, 8, 9, ok, read("x", 1))}),
		Entry("a compare that an unknown write made fail", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, unknown, w(2)),
			reg(2, 4, 5, ok, cas(1, 3, 0)), reg(2, 6, 7, ok, w(4)), reg(2, 8, 9, ok, read("x", 4))}),
		Entry("an old read of a node's own state", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, w(2)),
			happened(2, 8, 9, ok, journal.Register, local, read("x", 1)), final(0, journal.Register, read("x", 2))}),
		Entry("a write that failed and is not there", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, failed, w(2)),
			reg(2, 4, 5, ok, read("x", 1))}),
	)

	DescribeTable("refuses", func(h history) { broken(check.Linearizable, "not linearizable", h) },
		Entry("two compares that both matched one write, while another is under way", history{
			reg(4, 0, 4, ok, cas(3, 5, 1)), reg(2, 1, 4, ok, w(3)), reg(3, 1, 2, ok, w(4)), reg(5, 2, 3, ok, cas(3, 6, 1)),
		}),
		Entry("a stale read", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, w(2)), reg(2, 4, 5, ok, read("x", 1))}),
		Entry("a read that goes back", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 20, ok, w(2)), reg(2, 4, 5, ok, read("x", 2)),
			reg(3, 6, 7, ok, read("x", 1))}),
		Entry("a lost write", history{reg(1, 0, 1, ok, w(1)), reg(2, 4, 5, ok, read("x"))}),
		Entry("a write that failed and is there", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, failed, w(2)), reg(2, 4, 5, ok, read("x", 2))}),
		Entry("two that both compared and set", history{reg(1, 0, 1, ok, w(1)), reg(2, 2, 3, ok, cas(1, 2, 1)),
			reg(3, 4, 5, ok, cas(1, 3, 1))}),
		Entry("an unknown write that is undone", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, unknown, w(2)),
			reg(2, 4, 5, ok, read("x", 2)), reg(2, 6, 7, ok, read("x", 1))}),
		Entry("nodes that differ in the end by a write of unknown outcome", history{reg(1, 0, 1, ok, w(1)),
			reg(1, 2, 3, unknown, w(2)), final(0, journal.Register, read("x", 1)), final(1, journal.Register, read("x", 2))}),
		Entry("nodes that differ in the end by one that may be either of two",
			history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, unknown, w(2)), reg(1, 2, 3, unknown, w(2)),
				final(0, journal.Register, read("x", 1)), final(1, journal.Register, read("x", 2))}),
		Entry("nodes that differ in the end", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, w(2)),
			final(0, journal.Register, read("x", 2)), final(1, journal.Register, read("x", 1))}),
	)

	It("says that it cannot tell, where there are too many ways to think of", func() {
		h := history{reg(0, 0, 1, ok, w(1))}
		for i := range 80 {
			h = append(h, reg(i, 2, 90, ok, w(int64(i/2))), reg(100+i, 2, 90, ok, read("x", int64(i/2))))
		}
		h = append(h, reg(0, 95, 96, ok, read("x", 7)), reg(0, 97, 98, ok, read("x", 8)))
		err := check.Linearizable(h)
		Expect(err).To(MatchError(check.ErrUndecided))
		Expect(err).To(MatchError(ContainSubstring("x: too many of its 163 operations are concurrent or have no outcome")))
		Expect(errors.As(err, new(*check.Violation))).To(BeFalse())
	})

	It("keeps porcupine's picture of it", func() {
		h := history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, w(2)), reg(2, 4, 5, ok, read("x", 1))}
		Expect(string(check.Picture(h))).To(And(ContainSubstring("<html"), ContainSubstring("read")))
		Expect(check.Picture(h[:2])).To(BeNil())
	})
})
