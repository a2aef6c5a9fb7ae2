package raftfix

import (
	"sync/atomic"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// countedLog is an in-memory log that counts its reads.
type countedLog struct {
	*raft.InmemStore
	reads int
}

func (l *countedLog) GetLog(index uint64, entry *raft.Log) error {
	l.reads++
	return l.InmemStore.GetLog(index, entry)
}

// entriesOf returns entries of one term starting at index from, with data of the given sizes.
func entriesOf(term, from uint64, sizes ...int) (entries []*raft.Log) {
	for i, size := range sizes {
		entries = append(entries, &raft.Log{Index: from + uint64(i), Term: term, Type: raft.LogCommand, Data: make([]byte, size)})
	}
	return entries
}

// sizes returns size count times.
func sizes(count, size int) []int {
	all := make([]int, count)
	for i := range all {
		all[i] = size
	}
	return all
}

var _ = Describe("The log that Raft uses", func() {
	var below *countedLog
	var lazy *LazyLog
	BeforeEach(func() {
		below = &countedLog{InmemStore: raft.NewInmemStore()}
		lazy = NewLazyLog(below, &atomic.Bool{}, All)
	})
	get := func(index uint64) (entry raft.Log) {
		GinkgoHelper()
		Expect(lazy.GetLog(index, &entry)).To(Succeed())
		return entry
	}

	It("returns large commands without their data, and loads it on demand", func() {
		entries := entriesOf(3, 1, lazyFrom-1, lazyFrom, 8<<20)
		entries[1].Data[0] = 7
		entries = append(entries, &raft.Log{Index: 4, Term: 3, Type: raft.LogConfiguration, Data: make([]byte, lazyFrom)})
		Expect(lazy.StoreLogs(entries)).To(Succeed())
		for _, again := range []*LazyLog{lazy, NewLazyLog(below, &atomic.Bool{}, All)} { // the second one has to read them first
			lazy = again
			Expect([]int{len(get(1).Data), len(get(2).Data), len(get(3).Data), len(get(4).Data)}).To(Equal([]int{lazyFrom - 1, 0, 0, lazyFrom}))
			Expect(get(2)).To(And(HaveField("Index", uint64(2)), HaveField("Term", uint64(3)), HaveField("Type", raft.LogCommand)))
			below.reads = 0
			two := get(2)
			Expect(below.reads).To(BeZero())
			Expect(lazy.load(&two)).To(HaveField("Data", Equal(entries[1].Data)))
		}
	})

	It("loads as many entries as fit, at least one", func() {
		Expect(lazy.StoreLogs(entriesOf(1, 1, 100, 300_000, 300_000, 300_000, 2<<20, 100))).To(Succeed())
		asked := func(from uint64) (entries []*raft.Log) {
			for index := from; index <= 6; index++ {
				entry := get(index)
				entries = append(entries, &entry)
			}
			return entries
		}
		var counts []int
		for from := uint64(1); from <= 6; {
			full, err := lazy.loaded(asked(from), appendBytes)
			Expect(err).NotTo(HaveOccurred())
			counts = append(counts, len(full))
			for _, entry := range full {
				Expect(entry.Data).NotTo(BeEmpty())
			}
			from += uint64(len(full))
		}
		Expect(counts).To(Equal([]int{4, 1, 1}))
	})

	It("detects replaced and deleted entries", func() {
		Expect(lazy.StoreLogs(entriesOf(1, 1, lazyFrom, lazyFrom))).To(Succeed())
		one, two := get(1), get(2)
		Expect(lazy.DeleteRange(2, 2)).To(Succeed())
		Expect(lazy.load(&two)).Error().To(MatchError(raft.ErrLogNotFound))
		Expect(lazy.StoreLogs(entriesOf(2, 2, lazyFrom))).To(Succeed())
		Expect(lazy.load(&two)).Error().To(MatchError(errEntryGone))
		Expect(get(2).Term).To(Equal(uint64(2)))
		Expect(lazy.DeleteRange(1, 1)).To(Succeed())
		Expect(lazy.load(&one)).Error().To(MatchError(raft.ErrLogNotFound))
		Expect(lazy.GetLog(1, &raft.Log{})).To(BeIdenticalTo(raft.ErrLogNotFound))
	})
})

var _ = Describe("An AppendEntries call", func() {
	It("carries as many entries as fit, and limits the commit index to them", func() {
		lazy := NewLazyLog(raft.NewInmemStore(), &atomic.Bool{}, All)
		Expect(lazy.StoreLogs(entriesOf(7, 5, sizes(10, 300_000)...))).To(Succeed())
		var entries []*raft.Log
		for index := uint64(5); index <= 14; index++ {
			entry := new(raft.Log)
			Expect(lazy.GetLog(index, entry)).To(Succeed())
			entries = append(entries, entry)
		}
		inner := &scripted{append: accept}
		bounded := LoadAppends(inner, lazy)
		request := &raft.AppendEntriesRequest{Term: 7, PrevLogEntry: 4, PrevLogTerm: 3, LeaderCommitIndex: 12, Entries: entries}
		Expect(bounded.AppendEntries("b", "b:1", request, &raft.AppendEntriesResponse{})).To(Succeed())
		Expect(request.Entries).To(HaveLen(3), "Raft goes on behind what was sent")
		Expect(inner.sent).To(HaveLen(1))
		Expect(inner.sent[0].Entries).To(HaveLen(3))
		Expect(inner.sent[0].Entries).To(HaveEach(HaveField("Data", HaveLen(300_000))))
		Expect(inner.sent[0]).To(And(HaveField("LeaderCommitIndex", uint64(7)), HaveField("PrevLogEntry", uint64(4))))

		few := &raft.AppendEntriesRequest{Term: 7, PrevLogEntry: 7, LeaderCommitIndex: 12, Entries: entries[3:5]}
		Expect(bounded.AppendEntries("b", "b:1", few, &raft.AppendEntriesResponse{})).To(Succeed())
		Expect(inner.sent[1].LeaderCommitIndex).To(Equal(uint64(12)))
		Expect(few.Entries[0].Data).To(BeEmpty(), "what waits holds no data")
	})
})
