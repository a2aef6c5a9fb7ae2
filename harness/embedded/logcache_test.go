package embedded

import (
	"errors"
	"math/rand/v2"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// countedLog is an in-memory log that records its reads.
type countedLog struct {
	*raft.InmemStore
	read    []uint64
	refused error
}

func (l *countedLog) GetLog(index uint64, entry *raft.Log) error {
	l.read = append(l.read, index)
	return l.InmemStore.GetLog(index, entry)
}

func (l *countedLog) StoreLogs(entries []*raft.Log) error {
	if l.refused != nil {
		return l.refused
	}
	return l.InmemStore.StoreLogs(entries)
}

func newCountedLog() *countedLog { return &countedLog{InmemStore: raft.NewInmemStore()} }

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

// firstCached reads entries 1 to last, and returns the index of the first that was cached; 0 if none was.
func firstCached(log raft.LogStore, below *countedLog, last uint64) (cached uint64) {
	GinkgoHelper()
	for index := uint64(1); index <= last; index++ {
		before := len(below.read)
		var entry raft.Log
		Expect(log.GetLog(index, &entry)).To(Succeed())
		Expect(entry.Index).To(Equal(index))
		if len(below.read) == before && cached == 0 {
			cached = index
		}
	}
	return cached
}

var _ = Describe("The log's cache", func() {
	var below *countedLog
	var log raft.LogStore
	BeforeEach(func() {
		below = newCountedLog()
		log = newLogCache(below)
	})

	It("has the newest entries, limited in number and in bytes", func() {
		Expect(log.StoreLogs(entriesOf(1, 1, sizes(cachedEntries+10, 100)...))).To(Succeed())
		Expect(firstCached(log, below, cachedEntries+10)).To(Equal(uint64(11)))
		const large = 3 << 20
		Expect(log.StoreLogs(entriesOf(1, cachedEntries+11, sizes(8, large)...))).To(Succeed())
		Expect(firstCached(log, below, cachedEntries+18)).To(Equal(uint64(cachedEntries + 18 - cachedBytes/large + 1)))
		Expect(log.(*logCache).bytes).To(BeNumerically("<=", cachedBytes))
	})

	It("does not cache an entry that is larger than the whole cache", func() {
		Expect(log.StoreLogs(entriesOf(1, 1, 10, cachedBytes+1))).To(Succeed())
		Expect(firstCached(log, below, 2)).To(BeZero())
		Expect(log.StoreLog(entriesOf(1, 3, 10)[0])).To(Succeed())
		Expect(firstCached(log, below, 3)).To(Equal(uint64(3)))
	})

	It("has the entries that the log stored, and not those it refused", func() {
		Expect(log.StoreLogs(entriesOf(1, 1, 1, 1))).To(Succeed())
		below.refused = errors.New("no room")
		Expect(log.StoreLogs(entriesOf(2, 2, 1))).To(MatchError(below.refused))
		var entry raft.Log
		Expect(log.GetLog(2, &entry)).To(Succeed())
		Expect(entry.Term).To(Equal(uint64(1)))
	})

	It("agrees with the log under random appends, deletions and reads", func() {
		random := rand.New(rand.NewPCG(1, 2))
		first, last := uint64(1), uint64(0)
		for term := uint64(1); term < 400; term++ {
			switch random.IntN(4) {
			case 0: // delete at the end
				if last > first {
					cut := first + 1 + random.Uint64N(last-first)
					Expect(log.DeleteRange(cut, last)).To(Succeed())
					last = cut - 1
				}
			case 1: // delete at the beginning
				if last > first {
					cut := first + random.Uint64N(last-first)
					Expect(log.DeleteRange(first, cut)).To(Succeed())
					first = cut + 1
				}
			default:
				count := 1 + random.IntN(20)
				Expect(log.StoreLogs(entriesOf(term, last+1, sizes(count, random.IntN(3<<20))...))).To(Succeed())
				last += uint64(count)
			}
			for index := first; index <= last; index++ {
				var got, want raft.Log
				Expect(log.GetLog(index, &got)).To(Succeed())
				Expect(below.InmemStore.GetLog(index, &want)).To(Succeed())
				Expect(got.Term).To(Equal(want.Term))
			}
			if log.DeleteRange(first, first) == nil && last >= first {
				first++
			}
		}
	})
})
