package raftfix

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The sizes of the log's entries", func() {
	var w *logSizes
	weigh := func(size int) int64 { return int64(size + entryOverhead) }
	BeforeEach(func() { w = &logSizes{} })

	It("are known from the first stored entry on", func() {
		w.stored(entriesOf(1, 10, 100, 200, 300))
		Expect(w.between(0, 12)).To(Equal(weigh(100) + weigh(200) + weigh(300)))
		Expect(w.between(10, 11)).To(Equal(weigh(200)))
		Expect(w.between(12, 99)).To(BeZero())
		Expect(w.between(12, 10)).To(BeZero())
		w.stored(entriesOf(1, 13, 400))
		Expect(w.between(11, 13)).To(Equal(weigh(300) + weigh(400)))
	})

	It("exclude entries deleted at either end", func() {
		w.stored(entriesOf(1, 10, 100, 200, 300, 400))
		w.deleted(1, 11)
		Expect(w.between(0, 13)).To(Equal(weigh(300) + weigh(400)))
		w.deleted(13, 13)
		Expect(w.between(0, 20)).To(Equal(weigh(300)))
		w.stored(entriesOf(2, 13, 50))
		Expect(w.between(12, 13)).To(Equal(weigh(50)))
		w.deleted(1, 99)
		Expect(w.between(0, 99)).To(BeZero())
		w.stored(entriesOf(2, 20, 70))
		Expect(w.between(0, 99)).To(Equal(weigh(70)))
	})

	It("are known at startup from what Raft reads: the last entry, then all after its snapshot", func() {
		for _, index := range []uint64{15, 11, 12, 13, 14, 15} {
			w.met(index, int(index))
		}
		w.met(12, 12)
		Expect(w.between(12, 15)).To(Equal(weigh(13) + weigh(14) + weigh(15)))
		w.stored(entriesOf(1, 16, 16))
		Expect(w.between(10, 16)).To(Equal(weigh(11) + weigh(12) + weigh(13) + weigh(14) + weigh(15) + weigh(16)))
	})

	It("determine how many trailing entries fit into so many bytes", func() {
		Expect(w.last(100, 1)).To(Equal(uint64(100)), "nothing is known")
		w.stored(entriesOf(1, 10, 1000, 1000, 1000, 1000))
		Expect(w.last(100, 4*weigh(1000))).To(Equal(uint64(100)), "it all fits")
		Expect(w.last(100, 4*weigh(1000)-1)).To(Equal(uint64(3)))
		Expect(w.last(2, 4*weigh(1000)-1)).To(Equal(uint64(2)))
		Expect(w.last(100, weigh(1000))).To(Equal(uint64(1)))
		Expect(w.last(100, weigh(1000)-1)).To(BeZero())
		w.deleted(1, 11)
		Expect(w.last(100, weigh(1000))).To(Equal(uint64(1)))
	})
})
