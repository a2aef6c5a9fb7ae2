package disk_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/virtual/disk"
)

func TestDisk(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Disk")
}

func open(d *disk.Disk) embedded.Stores {
	GinkgoHelper()
	s, err := d.Open()
	Expect(err).NotTo(HaveOccurred())
	return s
}

func entries(from, to uint64) (logs []*raft.Log) {
	for i := from; i <= to; i++ {
		logs = append(logs, &raft.Log{Index: i, Term: 1, Data: []byte{byte(i)}})
	}
	return logs
}

// bounds are the first and the last index of a log.
func bounds(s embedded.Stores) [2]uint64 {
	GinkgoHelper()
	first, err := s.Log.FirstIndex()
	Expect(err).NotTo(HaveOccurred())
	last, err := s.Log.LastIndex()
	Expect(err).NotTo(HaveOccurred())
	return [2]uint64{first, last}
}

func take(s embedded.Stores, index, term uint64, content string) raft.SnapshotSink {
	GinkgoHelper()
	sink, err := s.Snapshots.Create(1, index, term, raft.Configuration{}, 1, nil)
	Expect(err).NotTo(HaveOccurred())
	_, err = io.WriteString(sink, content)
	Expect(err).NotTo(HaveOccurred())
	return sink
}

var _ = Describe("A disk", func() {
	var d *disk.Disk
	var s embedded.Stores
	BeforeEach(func() {
		d = disk.New(disk.Options{})
		s = open(d)
	})

	Describe("its log", func() {
		It("gives back what was stored", func() {
			Expect(bounds(s)).To(Equal([2]uint64{0, 0}))
			Expect(s.Log.StoreLogs(entries(5, 9))).To(Succeed())
			Expect(bounds(s)).To(Equal([2]uint64{5, 9}))
			var entry raft.Log
			Expect(s.Log.GetLog(7, &entry)).To(Succeed())
			Expect(entry).To(Equal(*entries(7, 7)[0]))
			for _, missing := range []uint64{0, 4, 10} {
				Expect(s.Log.GetLog(missing, &entry)).To(MatchError(raft.ErrLogNotFound))
			}
		})

		It("takes no gap", func() {
			Expect(s.Log.(raft.MonotonicLogStore).IsMonotonic()).To(BeTrue())
			Expect(s.Log.StoreLogs(entries(1, 3))).To(Succeed())
			Expect(s.Log.StoreLog(entries(5, 5)[0])).To(MatchError(ContainSubstring("gap")))
			Expect(bounds(s)).To(Equal([2]uint64{1, 3}))
		})

		DescribeTable("is cut at its ends, and not in its middle",
			func(from, to uint64, left [2]uint64) {
				Expect(s.Log.StoreLogs(entries(3, 9))).To(Succeed())
				Expect(s.Log.DeleteRange(from, to)).To(Succeed())
				Expect(bounds(s)).To(Equal(left))
				if left[1] > 0 {
					Expect(s.Log.StoreLogs(entries(left[1]+1, 12))).To(Succeed())
				}
			},
			Entry("the front", uint64(3), uint64(5), [2]uint64{6, 9}),
			Entry("the front and what was never there", uint64(1), uint64(5), [2]uint64{6, 9}),
			Entry("the end", uint64(7), uint64(9), [2]uint64{3, 6}),
			Entry("everything", uint64(1), uint64(100), [2]uint64{0, 0}),
			Entry("nothing", uint64(20), uint64(30), [2]uint64{3, 9}),
		)

		It("refuses to lose its middle", func() {
			Expect(s.Log.StoreLogs(entries(1, 9))).To(Succeed())
			Expect(s.Log.DeleteRange(3, 5)).To(MatchError(ContainSubstring("gap")))
			Expect(bounds(s)).To(Equal([2]uint64{1, 9}))
		})
	})

	It("keeps term and vote, and says as Raft expects what it does not have", func() {
		_, err := s.Stable.GetUint64([]byte("term"))
		Expect(err).To(MatchError("not found"))
		Expect(s.Stable.SetUint64([]byte("term"), 7)).To(Succeed())
		Expect(s.Stable.GetUint64([]byte("term"))).To(BeEquivalentTo(7))
		value := []byte("n1")
		Expect(s.Stable.Set([]byte("vote"), value)).To(Succeed())
		value[1] = '2'
		Expect(s.Stable.Get([]byte("vote"))).To(Equal([]byte("n1")))
	})

	Describe("its snapshots", func() {
		It("are there when they are whole, the newest first, two of them", func() {
			for index := uint64(1); index <= 3; index++ {
				sink := take(s, index, 1, string(rune('a'+index)))
				Expect(s.Snapshots.List()).To(HaveLen(min(int(index)-1, 2)))
				Expect(sink.Close()).To(Succeed())
				meta, content, err := s.Snapshots.Open(sink.ID())
				Expect(err).NotTo(HaveOccurred())
				Expect(meta.Size).To(BeEquivalentTo(1))
				Expect(io.ReadAll(content)).To(Equal([]byte{byte('a' + index)}))
			}
			Expect(s.Snapshots.List()).To(HaveExactElements(HaveField("Index", uint64(3)), HaveField("Index", uint64(2))))
		})

		It("are not there when they are cancelled", func() {
			sink := take(s, 1, 1, "x")
			Expect(sink.Cancel()).To(Succeed())
			Expect(sink.Close()).To(Succeed())
			Expect(s.Snapshots.List()).To(BeEmpty())
			_, _, err := s.Snapshots.Open(sink.ID())
			Expect(err).To(HaveOccurred())
		})
	})

	It("is one node's at a time", func() {
		_, err := d.Open()
		Expect(err).To(MatchError(ContainSubstring("in use")))
		Expect(s.Close()).To(Succeed())
		Expect(s.Log.StoreLogs(entries(1, 1))).To(MatchError(disk.ErrLost))
		open(d)
	})

	It("loses in a crash what was not synced, and nothing else", func() {
		Expect(s.Log.StoreLogs(entries(1, 3))).To(Succeed())
		Expect(s.Stable.SetUint64([]byte("term"), 7)).To(Succeed())
		Expect(take(s, 2, 1, "whole").Close()).To(Succeed())
		half := take(s, 3, 1, "half")
		d.Crash()

		Expect(half.Close()).To(MatchError(disk.ErrLost))
		Expect(s.Log.StoreLogs(entries(4, 4))).To(MatchError(disk.ErrLost))
		_, err := s.Log.LastIndex()
		Expect(err).To(MatchError(disk.ErrLost))
		Expect(s.Close()).To(Succeed(), "a crashed node may still come to its end")

		again := open(d)
		Expect(bounds(again)).To(Equal([2]uint64{1, 3}))
		Expect(again.Stable.GetUint64([]byte("term"))).To(BeEquivalentTo(7))
		Expect(again.Snapshots.List()).To(HaveExactElements(HaveField("Index", uint64(2))))
	})
})

func TestASyncTakesTimeAndIsLostInACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		d := disk.New(disk.Options{Sync: time.Second})
		s, err := d.Open()
		g.Expect(err).NotTo(HaveOccurred())
		begun := time.Now()
		g.Expect(s.Log.StoreLogs(entries(1, 2))).To(Succeed())
		g.Expect(time.Since(begun)).To(Equal(time.Second))

		stored := make(chan error)
		go func() { stored <- s.Log.StoreLogs(entries(3, 4)) }()
		time.Sleep(time.Second / 2)
		g.Expect(s.Log.LastIndex()).To(BeEquivalentTo(2), "it can be read before it is safe")
		d.Crash()
		g.Expect(<-stored).To(MatchError(disk.ErrLost))
		s, err = d.Open()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(s.Log.LastIndex()).To(BeEquivalentTo(2))
	})
}
