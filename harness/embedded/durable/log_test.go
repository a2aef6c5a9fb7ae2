package durable

import (
	"strings"
	"syscall"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = Describe("A log", onBoth(func(fresh func() *disk.Disk) {
	var d *disk.Disk
	var l *Log
	BeforeEach(func() {
		d = fresh()
		l = must(begin(d))
		DeferCleanup(func() { d.Crash(); Expect(l.Close()).To(Succeed()) })
	})
	reopen := func() {
		GinkgoHelper()
		d.Crash()
		Expect(l.Close()).To(Succeed(), "a crashed node can still be closed")
		l = must(begin(d))
	}

	It("returns what was stored, across many files and a crash", func() {
		Expect(bounds(l)).To(Equal([2]uint64{0, 0}))
		for i := range uint64(20) {
			Expect(l.StoreLogs(entries(5+3*i, 7+3*i))).To(Succeed())
		}
		holds(l, 5, 64)
		var entry raft.Log
		for _, missing := range []uint64{0, 4, 65} {
			Expect(l.GetLog(missing, &entry)).To(BeIdenticalTo(raft.ErrLogNotFound))
		}
		reopen()
		holds(l, 5, 64)
		Expect(l.StoreLog(entries(65, 65)[0])).To(Succeed())
		holds(l, 5, 65)
	})

	It("rejects a gap", func() {
		Expect(l.IsMonotonic()).To(BeTrue())
		Expect(l.StoreLogs(entries(1, 3))).To(Succeed())
		Expect(l.StoreLog(entries(5, 5)[0])).To(MatchError(ContainSubstring("non-monotonic")))
		holds(l, 1, 3)
	})

	DescribeTable("is truncated at its ends",
		func(from, to uint64, left [2]uint64) {
			for i := uint64(3); i < 60; i += 3 {
				Expect(l.StoreLogs(entries(i, i+2))).To(Succeed())
			}
			Expect(l.DeleteRange(from, to)).To(Succeed())
			Expect(bounds(l)).To(Equal(left))
			var entry raft.Log
			Expect(l.GetLog(from, &entry)).NotTo(Succeed())
			reopen()
			Expect(bounds(l)).To(Equal(left))
			if left[1] > 0 {
				Expect(l.StoreLogs(entries(left[1]+1, 70))).To(Succeed())
				holds(l, left[0], 70)
			}
		},
		Entry("the front", uint64(3), uint64(5), [2]uint64{6, 59}),
		Entry("most of it", uint64(3), uint64(55), [2]uint64{56, 59}),
		Entry("the front and missing entries", uint64(1), uint64(5), [2]uint64{6, 59}),
		Entry("the end", uint64(57), uint64(59), [2]uint64{3, 56}),
		Entry("a long end", uint64(7), uint64(59), [2]uint64{3, 6}),
		Entry("everything", uint64(1), uint64(100), [2]uint64{0, 0}),
	)

	It("does not delete its middle", func() {
		Expect(l.StoreLogs(entries(1, 9))).To(Succeed())
		Expect(l.DeleteRange(3, 5)).To(MatchError(ContainSubstring("only suffix or prefix")))
		holds(l, 1, 9)
	})

	It("keeps term and vote", func() {
		Expect(l.GetUint64([]byte("term"))).To(BeZero())
		Expect(l.SetUint64([]byte("term"), 7)).To(Succeed())
		value := []byte("n1")
		Expect(l.Set([]byte("vote"), value)).To(Succeed())
		value[1] = '2'
		reopen()
		Expect(l.GetUint64([]byte("term"))).To(BeEquivalentTo(7))
		Expect(l.Get([]byte("vote"))).To(BeEquivalentTo("n1"))
	})

	It("names the file that cannot be written", func() {
		d.Set(fault.Disk{Failing: true})
		Expect(l.StoreLogs(entries(1, 1))).To(MatchError(And(MatchRegexp(`log/.*\.wal`), ContainSubstring(syscall.EIO.Error()))))
		Expect(l.SetUint64([]byte("term"), 7)).To(MatchError(ContainSubstring("log/.meta")))
		Expect(l.GetUint64([]byte("term"))).To(BeZero())
		d.Set(fault.Disk{Full: true})
		Expect(l.StoreLogs(entries(1, 1))).To(MatchError(syscall.ENOSPC))
	})

	It("reports an error between two calls", func(ctx SpecContext) {
		d.Crash()
		Expect(l.Close()).To(Succeed())
		failed := make(chan error, 1)
		l = must(beginOn(must(d.Open()), 1, func(err error) { failed <- err })) // one entry per file
		d.Set(fault.Disk{Slow: 1})
		Expect(l.StoreLogs(entries(1, 1))).To(Succeed())
		d.Set(fault.Disk{Failing: true})
		err := l.StoreLogs(entries(2, 2))
		Expect(err).To(HaveOccurred())
		if !strings.Contains(err.Error(), syscall.EIO.Error()) { // the disk failed before the rotation ended
			Eventually(ctx, failed).Should(Receive(MatchError(syscall.EIO)))
		}
	})

	It("drops an append that a crash has torn, and continues", func(ctx SpecContext) {
		Expect(l.StoreLogs(entries(1, 3))).To(Succeed())
		for to := uint64(5); to < 40; to += 2 {
			d.Set(fault.Disk{Torn: true})
			torn := make(chan error, 1)
			go func() { torn <- l.StoreLogs(entries(to-1, to)) }()
			Eventually(ctx, d.Faults).Should(BeZero())
			d.Crash()
			Expect(<-torn).To(MatchError(disk.ErrLost))
			reopen()
			holds(l, 1, to-2)
			Expect(l.StoreLogs(entries(to-1, to))).To(Succeed())
			holds(l, 1, to)
		}
		reopen()
		holds(l, 1, 39)
	})

	It("loses what a lying disk did not store, and is consistent", func() {
		Expect(l.StoreLogs(entries(1, 3))).To(Succeed())
		Expect(l.SetUint64([]byte("term"), 1)).To(Succeed())
		d.Set(fault.Disk{Lying: true})
		for i := uint64(4); i < 60; i++ {
			Expect(l.StoreLogs(entries(i, i))).To(Succeed())
		}
		Expect(l.SetUint64([]byte("term"), 2)).To(Succeed())
		Expect(l.DeleteRange(1, 50)).To(Succeed())
		holds(l, 51, 59)
		reopen()
		holds(l, 1, 3)
		Expect(l.GetUint64([]byte("term"))).To(BeEquivalentTo(1))
	})

	When("a byte has flipped", func() {
		It("is reported with its file when the log is opened", func() {
			Expect(l.StoreLogs(entries(1, 3))).To(Succeed())
			file := must(d.Damage(fault.Log))
			d.Crash()
			Expect(l.Close()).To(Succeed())
			_, err := begin(d)
			Expect(err).To(MatchError(ContainSubstring(file + " is damaged")))
			d.Crash()
			must(d.Damage(fault.Log)) // flips it back
			l = must(begin(d))
			holds(l, 1, 3)
		})

		It("is reported with file and entry when an entry is read, for any length of the log", func() {
			for last := uint64(1); last <= 40; last++ {
				Expect(l.StoreLog(entries(last, last)[0])).To(Succeed())
				file := must(d.Damage(fault.Log))
				var unread []error
				for i := range last {
					var entry raft.Log
					if err := l.GetLog(i+1, &entry); err != nil {
						unread = append(unread, err)
					}
				}
				Expect(unread).To(ConsistOf(MatchError(And(ContainSubstring(file+" is damaged"), ContainSubstring("entry")))))
				must(d.Damage(fault.Log)) // flips it back
			}
		})
	})

	It("is not treated as new without its meta file", func() {
		Expect(l.StoreLogs(entries(1, 3))).To(Succeed())
		d.Crash()
		Expect(l.Close()).To(Succeed())
		fs := must(d.Open())
		Expect(fs.Rename(metaFile, disk.LogDir+"/elsewhere")).To(Succeed())
		Expect(fs.Close()).To(Succeed())
		_, err := begin(d)
		Expect(err).To(MatchError(ContainSubstring("log/meta is damaged: it is missing")))
		d.Crash()
		fs = must(d.Open())
		Expect(fs.Rename(disk.LogDir+"/elsewhere", metaFile)).To(Succeed())
		Expect(fs.Close()).To(Succeed())
		l = must(begin(d))
	})
}))
