package durable

import (
	"bytes"
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = Describe("Snapshots", onBoth(func(fresh func() *disk.Disk) {
	var d *disk.Disk
	var fs *disk.FS
	var s *Snapshots
	open := func() {
		GinkgoHelper()
		d.Crash()
		fs = must(d.Open())
		s = must(Open(fs, hclog.NewNullLogger(), func(error) {})).Snapshots
	}
	BeforeEach(func() {
		d = fresh()
		open()
		DeferCleanup(d.Crash)
	})
	ids := func() (ids []string) {
		GinkgoHelper()
		for _, meta := range must(s.List()) {
			ids = append(ids, meta.ID)
		}
		return ids
	}

	It("may have the same index and time, when one is taken while another is received", func() {
		sinks := make([]raft.SnapshotSink, 2)
		for i := range sinks {
			sinks[i] = must(s.Create(1, 7, 2, raft.Configuration{}, 1, nil))
			must(sinks[i].Write([]byte("content")))
		}
		Expect(sinks[0].ID()).NotTo(Equal(sinks[1].ID()))
		for _, sink := range sinks {
			Expect(sink.Close()).To(Succeed())
		}
		Expect(ids()).To(ConsistOf(sinks[0].ID(), sinks[1].ID()))
	})

	It("may be completed concurrently, although each removes the oldest", func() {
		for index := uint64(1); index <= 50; index++ {
			var closed [4]chan error
			begin := make(chan struct{})
			for i := range closed {
				closed[i] = make(chan error, 1)
				sink := must(s.Create(1, index, 2, raft.Configuration{}, 1, nil))
				must(sink.Write([]byte("content")))
				go func() {
					<-begin
					closed[i] <- sink.Close()
				}()
			}
			close(begin)
			for _, err := range closed {
				Expect(<-err).To(Succeed())
			}
		}
		Expect(ids()).To(HaveLen(2))
	})

	It("exist once complete, the newest first, at most two", func() {
		var taken []string
		for term := uint64(1); term <= 3; term++ {
			content := bytes.Repeat([]byte{byte(term)}, int(term-1)*blockSize+int(term))
			taken = append(taken, take(s, 10-term, term, content))
			Expect(readNewest(s, content)).To(Succeed())
		}
		Expect(ids()).To(Equal([]string{taken[2], taken[1]}))
		open()
		Expect(ids()).To(Equal([]string{taken[2], taken[1]}))
		Expect(must(s.List())[0]).To(And(HaveField("Term", uint64(3)), HaveField("Index", uint64(7)), HaveField("Size", int64(2*blockSize+3))))
	})

	It("contain the membership", func() {
		members := raft.Configuration{Servers: []raft.Server{{ID: "n0", Address: "x:1"}, {ID: "n1", Address: "x:2", Suffrage: raft.Nonvoter}}}
		sink := must(s.Create(1, 5, 2, members, 4, nil))
		Expect(sink.Close()).To(Succeed())
		meta, content, err := s.Open(sink.ID())
		Expect(err).NotTo(HaveOccurred())
		Expect(io.ReadAll(content)).To(BeEmpty())
		Expect(content.Close()).To(Succeed())
		Expect(meta.Configuration).To(Equal(members))
		Expect(meta.ConfigurationIndex).To(BeEquivalentTo(4))
	})

	It("do not exist after Cancel, and leave no file", func() {
		sink := must(s.Create(1, 1, 1, raft.Configuration{}, 1, nil))
		must(sink.Write([]byte("x")))
		Expect(sink.Cancel()).To(Succeed())
		Expect(sink.Close()).To(Succeed())
		Expect(ids()).To(BeEmpty())
		Expect(fs.List(disk.SnapshotDir)).To(BeEmpty())
		_, _, err := s.Open(sink.ID())
		Expect(err).To(MatchError(ContainSubstring("open snapshot " + sink.ID())))
	})

	It("do not exist after a crash while they were taken, and leave no file", func() {
		whole := take(s, 1, 1, []byte("whole"))
		sink := must(s.Create(1, 2, 1, raft.Configuration{}, 1, nil))
		must(sink.Write(make([]byte, 2*unsynced)))
		d.Crash()
		Expect(sink.Close()).To(MatchError(disk.ErrLost))
		open()
		Expect(ids()).To(Equal([]string{whole}))
		Expect(fs.List(disk.SnapshotDir)).To(HaveLen(1))
	})

	It("are lost in a crash if the disk lied about syncs", func() {
		old := take(s, 1, 1, []byte("old"))
		older := take(s, 2, 1, []byte("older"))
		d.Set(fault.Disk{Lying: true})
		lie := take(s, 3, 1, []byte("lie"))
		Expect(ids()).To(Equal([]string{lie, older}))
		open()
		Expect(ids()).To(Equal([]string{older, old}))
	})

	It("report the file on a full disk, and leave no file", func() {
		sink := must(s.Create(1, 1, 1, raft.Configuration{}, 1, nil))
		must(sink.Write(make([]byte, 2*blockSize)))
		d.Set(fault.Disk{Full: true})
		_, err := sink.Write(make([]byte, 2*blockSize))
		Expect(err).To(MatchError(syscall.ENOSPC))
		Expect(err).To(MatchError(ContainSubstring(sink.ID())))
		Expect(sink.Close()).To(MatchError(syscall.ENOSPC))
		Expect(fs.List(disk.SnapshotDir)).To(BeEmpty())
	})

	It("are not replaced by an older one when damaged", func() {
		take(s, 1, 1, bytes.Repeat([]byte("old"), 1000))
		content := bytes.Repeat([]byte("new"), 1000)
		take(s, 2, 1, content)
		file := must(d.Damage(fault.Snapshot))
		Expect(readNewest(s, content)).To(MatchError(ContainSubstring(file + " is damaged")))
		Expect(s.List()).Error().NotTo(HaveOccurred(), "its footer is intact")
	})
}))

func TestLargeSnapshotIsSyncedInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		d := disk.Memory(disk.SyncTakes(time.Second))
		fs, err := d.Open()
		g.Expect(err).NotTo(HaveOccurred())
		store, err := Open(fs, hclog.NewNullLogger(), func(error) {})
		g.Expect(err).NotTo(HaveOccurred())
		sink, err := store.Snapshots.Create(1, 1, 1, raft.Configuration{}, 1, nil)
		g.Expect(err).NotTo(HaveOccurred())
		begun := time.Now()
		_, err = sink.Write(make([]byte, 3*unsynced))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(time.Since(begun)).To(BeNumerically(">=", 2*time.Second), "it was not synced in parts")
		g.Expect(sink.Close()).To(Succeed())
		g.Expect(store.Close()).To(Succeed())
		g.Expect(fs.Close()).To(Succeed())
	})
}
