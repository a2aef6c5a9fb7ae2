package disk_test

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = Describe("A disk that", onBoth(func(fresh func() *disk.Disk) {
	var d *disk.Disk
	var f *disk.FS
	BeforeEach(func() {
		d = fresh()
		f = open(d)
		DeferCleanup(d.Crash)
	})

	// names expects an operating system error with the name of the file.
	names := func(err error, file string, cause error) {
		GinkgoHelper()
		Expect(err).To(MatchError(cause))
		path, is := errors.AsType[*fs.PathError](err)
		Expect(is).To(BeTrue())
		Expect(path.Path).To(HaveSuffix(file))
	}

	It("is full rejects writes, but can be read and cleaned up", func() {
		file := writeSynced(f, "log/a", "a")
		must(file.WriteAt([]byte("b"), 0))
		d.Set(fault.Disk{Full: true})
		Expect(d.Faults()).To(Equal(fault.Disk{Full: true}))
		_, err := file.WriteAt([]byte("c"), 0)
		names(err, "log/a", syscall.ENOSPC)
		names(file.Sync(), "log/a", syscall.ENOSPC)
		_, err = f.Create("log/b", 0)
		names(err, "log/b", syscall.ENOSPC)
		Expect(read(f, "log/a")).To(Equal("b"))
		Expect(f.Rename("log/a", "log/c")).To(Succeed())
		Expect(f.Remove("log/c")).To(Succeed())
		d.Set(fault.Disk{})
		writeSynced(f, "log/b", "b")
	})

	It("fails stores nothing, but can be read", func() {
		file := writeSynced(f, "log/a", "a")
		d.Set(fault.Disk{Failing: true})
		_, err := file.WriteAt([]byte("b"), 0)
		names(err, "log/a", syscall.EIO)
		names(file.Sync(), "log/a", syscall.EIO)
		names(f.Rename("log/a", "log/b"), "log/a", syscall.EIO)
		names(f.Remove("log/a"), "log/a", syscall.EIO)
		_, err = f.Create("log/b", 0)
		names(err, "log/b", syscall.EIO)
		Expect(read(f, "log/a")).To(Equal("a"))
		Expect(read(afterCrash(d), "log/a")).To(Equal("a"))
	})

	When("it confirms syncs without storing", func() {
		var file *disk.File
		BeforeEach(func() {
			file = writeSynced(f, "log/a", "before")
			writeSynced(f, "log/gone", "gone")
			writeSynced(f, "log/old", "old")
			d.Set(fault.Disk{Lying: true})
			must(file.WriteAt([]byte("during"), 0))
			Expect(file.Sync()).To(Succeed())
			temporary := writeSynced(f, "log/.new", "new")
			Expect(temporary.Close()).To(Succeed())
			Expect(f.Rename("log/.new", "log/old")).To(Succeed())
			Expect(f.Remove("log/gone")).To(Succeed())
		})

		seesConfirmed := func(f *disk.FS) {
			GinkgoHelper()
			Expect(f.List("log")).To(Equal([]string{"a", "old"}))
			Expect(read(f, "log/a")).To(Equal("during"))
			Expect(read(f, "log/old")).To(Equal("new"))
		}
		seesDurable := func(f *disk.FS) {
			GinkgoHelper()
			Expect(f.List("log")).To(Equal([]string{"a", "gone", "old"}))
			Expect(read(f, "log/a")).To(Equal("before"))
			Expect(read(f, "log/old")).To(Equal("old"))
			Expect(read(f, "log/gone")).To(Equal("gone"))
		}

		It("loses everything since the fault began in a crash, for all files", func() {
			seesConfirmed(f)
			seesDurable(afterCrash(d))
		})

		It("also loses it if the fault has ended and nothing was synced since", func() {
			d.Set(fault.Disk{})
			seesConfirmed(f)
			seesDurable(afterCrash(d))
		})

		It("makes it durable with the next sync after the fault, of any file", func() {
			d.Set(fault.Disk{})
			writeSynced(f, "snapshots/b", "b")
			f = afterCrash(d)
			seesConfirmed(f)
			Expect(read(f, "snapshots/b")).To(Equal("b"))
		})

		It("makes it durable with the next rename after the fault", func() {
			d.Set(fault.Disk{})
			Expect(f.Rename("log/a", "log/b")).To(Succeed())
			f = afterCrash(d)
			Expect(f.List("log")).To(Equal([]string{"b", "old"}))
			Expect(read(f, "log/b")).To(Equal("during"))
		})

		It("makes it durable on Close", func() {
			must(file.WriteAt([]byte("x"), 0))
			Expect(f.Close()).To(Succeed())
			d.Set(fault.Disk{})
			f = open(d)
			seesConfirmed(f)
			seesConfirmed(afterCrash(d))
		})

		It("finds a file renamed during the fault by its new name", func() {
			Expect(file.Close()).To(Succeed())
			other := must(f.Open("log/a"))
			Expect(f.Rename("log/a", "log/z")).To(Succeed())
			Expect(other.Close()).To(Succeed())
			Expect(read(f, "log/z")).To(Equal("during"))
		})
	})

	It("tears stores half of one sync, and nothing after it", func(ctx SpecContext) {
		file := writeSynced(f, "log/a", "before")
		other := writeSynced(f, "log/b", "other")
		d.Set(fault.Disk{Torn: true})
		Expect(file.Sync()).To(Succeed(), "an empty sync is not torn")
		must(file.WriteAt([]byte("0123"), 0))
		must(file.WriteAt([]byte("456789"), 4))
		torn := make(chan error, 1)
		go func() { torn <- file.Sync() }()
		Eventually(ctx, d.Faults).Should(Equal(fault.Disk{}))
		after := make(chan error, 2)
		go func() { after <- f.Rename("log/a", "log/c") }()
		go func() { _, err := other.WriteAt([]byte("x"), 0); after <- err }()
		Consistently(ctx, torn, "20ms").ShouldNot(Receive())
		Expect(after).NotTo(Receive())
		d.Crash()
		Expect(<-torn).To(MatchError(disk.ErrLost))
		Expect(<-after).To(MatchError(disk.ErrLost))
		Expect(<-after).To(MatchError(disk.ErrLost))
		f = open(d)
		Expect(f.List("log")).To(Equal([]string{"a", "b"}))
		Expect(read(f, "log/a")).To(Equal("01234e"))
		writeSynced(f, "log/c", "only one sync is torn")
	})

	It("tears releases blocked calls on Close", func(ctx SpecContext) {
		file := write(f, "log/a", "0123")
		d.Set(fault.Disk{Torn: true})
		torn := make(chan error, 1)
		go func() { torn <- file.Sync() }()
		Eventually(ctx, d.Faults).Should(Equal(fault.Disk{}))
		Expect(f.Close()).To(Succeed())
		Expect(<-torn).To(MatchError(disk.ErrLost))
		Expect(read(open(d), "log/a")).To(Equal("01"))
	})

	It("is slow releases blocked calls in a crash", func(ctx SpecContext) {
		file := write(f, "log/a", "0123")
		d.Set(fault.Disk{Slow: time.Hour})
		slow := make(chan error, 1)
		go func() { slow <- file.Sync() }()
		Consistently(ctx, slow, "20ms").ShouldNot(Receive())
		d.Crash()
		Expect(<-slow).To(MatchError(disk.ErrLost))
	})
}))

func TestSyncTakesTimeAndIsLostInACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		d := disk.Memory(disk.SyncTakes(time.Second))
		f, err := d.Open()
		g.Expect(err).NotTo(HaveOccurred())
		file, err := f.Create("log/a", 0)
		g.Expect(err).NotTo(HaveOccurred())
		sync := func(content string, takes time.Duration) {
			begun := time.Now()
			_, err := file.WriteAt([]byte(content), 0)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(file.Sync()).To(Succeed())
			g.Expect(time.Since(begun)).To(Equal(takes))
		}
		sync("1", time.Second)
		d.Set(fault.Disk{Slow: time.Minute})
		sync("2", time.Minute+time.Second)
		d.Set(fault.Disk{})
		sync("3", time.Second)

		_, err = file.WriteAt([]byte("4"), 0)
		g.Expect(err).NotTo(HaveOccurred())
		stored := make(chan error)
		for range 2 { // the second waits for the first
			go func() { stored <- file.Sync() }()
		}
		time.Sleep(time.Second / 2)
		d.Crash()
		g.Expect(<-stored).To(MatchError(disk.ErrLost))
		g.Expect(<-stored).To(MatchError(disk.ErrLost))
		f, err = d.Open()
		g.Expect(err).NotTo(HaveOccurred())
		file, err = f.Open("log/a")
		g.Expect(err).NotTo(HaveOccurred())
		content := make([]byte, 1)
		_, err = file.ReadAt(content, 0)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(content).To(BeEquivalentTo("3"))
		g.Expect(f.Close()).To(Succeed())
	})
}
