package embedded

import (
	"errors"
	"math/rand/v2"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// countedLog is a log in memory that counts the entries that are read from it.
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

// entriesOf are entries from an index on, each of a term with so many bytes of data.
func entriesOf(term, from uint64, sizes ...int) (entries []*raft.Log) {
	for i, size := range sizes {
		entries = append(entries, &raft.Log{Index: from + uint64(i), Term: term, Type: raft.LogCommand, Data: make([]byte, size)})
	}
	return entries
}

// sizes is the same size so many times.
func sizes(count, size int) []int {
	all := make([]int, count)
	for i := range all {
		all[i] = size
	}
	return all
}

// firstCached reads entries 1 to last, and returns the first that came from memory; 0 if none did.
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

	It("holds the newest entries: no more than fit, in number and in bytes", func() {
		Expect(log.StoreLogs(entriesOf(1, 1, sizes(cachedEntries+10, 100)...))).To(Succeed())
		Expect(firstCached(log, below, cachedEntries+10)).To(Equal(uint64(11)))
		const large = 3 << 20
		Expect(log.StoreLogs(entriesOf(1, cachedEntries+11, sizes(8, large)...))).To(Succeed())
		Expect(firstCached(log, below, cachedEntries+18)).To(Equal(uint64(cachedEntries + 18 - cachedBytes/large + 1)))
		Expect(log.(*logCache).bytes).To(BeNumerically("<=", cachedBytes))
	})

	It("holds nothing of an entry that is larger than all of it", func() {
		Expect(log.StoreLogs(entriesOf(1, 1, 10, cachedBytes+1))).To(Succeed())
		Expect(firstCached(log, below, 2)).To(BeZero())
		Expect(log.StoreLog(entriesOf(1, 3, 10)[0])).To(Succeed())
		Expect(firstCached(log, below, 3)).To(Equal(uint64(3)))
	})

	It("holds what the log took, and not what it refused", func() {
		Expect(log.StoreLogs(entriesOf(1, 1, 1, 1))).To(Succeed())
		below.refused = errors.New("no room")
		Expect(log.StoreLogs(entriesOf(2, 2, 1))).To(MatchError(below.refused))
		var entry raft.Log
		Expect(log.GetLog(2, &entry)).To(Succeed())
		Expect(entry.Term).To(Equal(uint64(1)))
	})

	It("is as the log is, whatever is stored, cut off and read", func() {
		random := rand.New(rand.NewPCG(1, 2))
		first, last := uint64(1), uint64(0)
		for term := uint64(1); term < 400; term++ {
			switch random.IntN(4) {
			case 0: // the end
				if last > first {
					cut := first + 1 + random.Uint64N(last-first)
					Expect(log.DeleteRange(cut, last)).To(Succeed())
					last = cut - 1
				}
			case 1: // the beginning
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
