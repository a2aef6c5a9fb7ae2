package embedded

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

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

// readsFrom reads entries and returns the first that came from memory.
func readsFrom(log raft.LogStore, below *countedLog, from, to uint64) (cached uint64) {
	GinkgoHelper()
	for index := from; index <= to; index++ {
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
		Expect(readsFrom(log, below, 1, cachedEntries+10)).To(Equal(uint64(11)))
		const large = 3 << 20
		Expect(log.StoreLogs(entriesOf(1, cachedEntries+11, sizes(8, large)...))).To(Succeed())
		Expect(readsFrom(log, below, 1, cachedEntries+18)).To(Equal(uint64(cachedEntries + 18 - cachedBytes/large + 1)))
		Expect(log.(*logCache).bytes).To(BeNumerically("<=", cachedBytes))
	})

	It("holds nothing of an entry that is larger than all of it", func() {
		Expect(log.StoreLogs(entriesOf(1, 1, 10, cachedBytes+1))).To(Succeed())
		Expect(readsFrom(log, below, 1, 2)).To(BeZero())
		Expect(log.StoreLog(entriesOf(1, 3, 10)[0])).To(Succeed())
		Expect(readsFrom(log, below, 1, 3)).To(Equal(uint64(3)))
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

var _ = Describe("The log that Raft is given", func() {
	var below *countedLog
	var hollow *hollowLog
	BeforeEach(func() {
		below = newCountedLog()
		hollow = newHollowLog(below, &atomic.Bool{})
	})
	get := func(index uint64) (entry raft.Log) {
		GinkgoHelper()
		Expect(hollow.GetLog(index, &entry)).To(Succeed())
		return entry
	}

	It("gives large commands without their data, which is read where it is needed", func() {
		entries := entriesOf(3, 1, hollowFrom-1, hollowFrom, 8<<20)
		entries[1].Data[0] = 7
		entries = append(entries, &raft.Log{Index: 4, Term: 3, Type: raft.LogConfiguration, Data: make([]byte, hollowFrom)})
		Expect(hollow.StoreLogs(entries)).To(Succeed())
		for _, again := range []*hollowLog{hollow, newHollowLog(below, &atomic.Bool{})} { // the second has to read them first
			hollow = again
			Expect([]int{len(get(1).Data), len(get(2).Data), len(get(3).Data), len(get(4).Data)}).To(Equal([]int{hollowFrom - 1, 0, 0, hollowFrom}))
			Expect(get(2)).To(And(HaveField("Index", uint64(2)), HaveField("Term", uint64(3)), HaveField("Type", raft.LogCommand)))
			below.read = nil
			two := get(2)
			Expect(below.read).To(BeEmpty())
			Expect(hollow.fill(&two)).To(HaveField("Data", Equal(entries[1].Data)))
		}
	})

	It("fills as many as fit, and one at least", func() {
		Expect(hollow.StoreLogs(entriesOf(1, 1, 100, 300_000, 300_000, 300_000, 2<<20, 100))).To(Succeed())
		asked := func(from uint64) (entries []*raft.Log) {
			for index := from; index <= 6; index++ {
				entry := get(index)
				entries = append(entries, &entry)
			}
			return entries
		}
		var counts []int
		for from := uint64(1); from <= 6; {
			full, err := hollow.filled(asked(from), appendBytes)
			Expect(err).NotTo(HaveOccurred())
			counts = append(counts, len(full))
			for _, entry := range full {
				Expect(entry.Data).NotTo(BeEmpty())
			}
			from += uint64(len(full))
		}
		Expect(counts).To(Equal([]int{4, 1, 1}))
	})

	It("tells an entry from another that took its place, and one that is gone", func() {
		Expect(hollow.StoreLogs(entriesOf(1, 1, hollowFrom, hollowFrom))).To(Succeed())
		one, two := get(1), get(2)
		Expect(hollow.DeleteRange(2, 2)).To(Succeed())
		Expect(hollow.fill(&two)).Error().To(MatchError(raft.ErrLogNotFound))
		Expect(hollow.StoreLogs(entriesOf(2, 2, hollowFrom))).To(Succeed())
		Expect(hollow.fill(&two)).Error().To(MatchError(errEntryGone))
		Expect(get(2).Term).To(Equal(uint64(2)))
		Expect(hollow.DeleteRange(1, 1)).To(Succeed())
		Expect(hollow.fill(&one)).Error().To(MatchError(raft.ErrLogNotFound))
		Expect(hollow.GetLog(1, &raft.Log{})).To(BeIdenticalTo(raft.ErrLogNotFound))
	})
})

var _ = Describe("A call of entries", func() {
	It("carries as many as fit into its bytes, and tells of no commit beyond them", func() {
		hollow := newHollowLog(newCountedLog(), &atomic.Bool{})
		Expect(hollow.StoreLogs(entriesOf(7, 5, sizes(10, 300_000)...))).To(Succeed())
		var entries []*raft.Log
		for index := uint64(5); index <= 14; index++ {
			entry := new(raft.Log)
			Expect(hollow.GetLog(index, entry)).To(Succeed())
			entries = append(entries, entry)
		}
		inner := &scripted{append: accept}
		bounded := boundedTransport{inner, hollow}
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

var _ = Describe("What the log weighs", func() {
	var w *logWeights
	weigh := func(size int) int64 { return int64(size + entryBeside) }
	BeforeEach(func() { w = &logWeights{} })

	It("is known from the first entry that was stored", func() {
		w.stored(entriesOf(1, 10, 100, 200, 300))
		Expect(w.between(0, 12)).To(Equal(weigh(100) + weigh(200) + weigh(300)))
		Expect(w.between(10, 11)).To(Equal(weigh(200)))
		Expect(w.between(12, 99)).To(BeZero())
		Expect(w.between(12, 10)).To(BeZero())
		w.stored(entriesOf(1, 13, 400))
		Expect(w.between(11, 13)).To(Equal(weigh(300) + weigh(400)))
	})

	It("is what is left when an end is removed", func() {
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

	It("is known at a start from what Raft reads: the last entry, then all from its snapshot on", func() {
		for _, index := range []uint64{15, 11, 12, 13, 14, 15} {
			w.met(index, int(index))
		}
		w.met(12, 12)
		Expect(w.between(12, 15)).To(Equal(weigh(13) + weigh(14) + weigh(15)))
		w.stored(entriesOf(1, 16, 16))
		Expect(w.between(10, 16)).To(Equal(weigh(11) + weigh(12) + weigh(13) + weigh(14) + weigh(15) + weigh(16)))
	})

	It("tells how many entries at the end fit into so many bytes", func() {
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

// deadlines is a connection that notes its deadline.
type deadlines struct {
	net.Conn
	set     []time.Duration // from when each was set
	written []int
}

func (d *deadlines) SetDeadline(t time.Time) error {
	d.set = append(d.set, time.Until(t).Round(100*time.Millisecond))
	return nil
}

func (d *deadlines) Write(p []byte) (int, error) {
	d.written = append(d.written, len(p))
	return len(p), nil
}

var _ = Describe("The time of a call", func() {
	It("is the same for small ones, and grows with the bytes of large ones", func() {
		inner := &deadlines{}
		conn := &unhurriedConn{Conn: inner}
		begin := func() {
			Expect(conn.SetDeadline(time.Now().Add(rpcTimeout))).To(Succeed())
			inner.set, inner.written = nil, nil
		}
		begin()
		Expect(conn.Write(make([]byte, 1000))).To(Equal(1000))
		Expect(inner.set).To(BeEmpty())
		begin()
		Expect(conn.Write(make([]byte, 8<<20))).To(Equal(8 << 20))
		Expect(inner.written).To(HaveLen(8 << 20 / writtenAtOnce))
		Expect(inner.set[len(inner.set)-1]).To(Equal(rpcTimeout + 8<<20/slowestLink*time.Second))
		begin()
		Expect(conn.Write(nil)).To(BeZero())
		Expect(inner.set).To(BeEmpty(), "every call begins anew")
	})
})
