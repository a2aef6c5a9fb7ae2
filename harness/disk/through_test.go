package disk_test

import (
	"errors"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = Describe("Data that is written through", onBoth(func(fresh func() *disk.Disk) {
	var d *disk.Disk
	var f *disk.FS
	var file *disk.File
	BeforeEach(func() {
		d = fresh()
		f = open(d)
		writeSynced(f, "promises", "1111222233334444")
		file = must(f.Open("promises"))
		DeferCleanup(d.Crash)
	})
	after := func() string {
		GinkgoHelper()
		return read(open(d), "promises")
	}

	It("is visible, and survives a crash", func() {
		Expect(file.WriteThrough([]byte("aaaa"), 4)).To(Succeed())
		Expect(read(f, "promises")).To(Equal("1111aaaa33334444"))
		d.Crash()
		Expect(after()).To(Equal("1111aaaa33334444"))
	})

	It("is held in order by a lying disk, and lost in a crash", func() {
		Expect(file.WriteThrough([]byte("aaaa"), 0)).To(Succeed())
		d.Set(fault.Disk{Lying: true})
		writeSynced(f, "log/1.wal", "an entry")
		Expect(file.WriteThrough([]byte("bbbb"), 0)).To(Succeed())
		Expect(file.WriteThrough([]byte("cccc"), 4)).To(Succeed())
		d.Set(fault.Disk{})
		Expect(file.WriteThrough([]byte("dddd"), 8)).To(Succeed())
		Expect(read(f, "promises")).To(Equal("bbbbccccdddd4444"))
		d.Crash()
		f = open(d)
		Expect(read(f, "promises")).To(Equal("aaaa222233334444"))
		Expect(must(f.List("log"))).To(BeEmpty())
	})

	It("is written back with the held changes when something is synced", func() {
		d.Set(fault.Disk{Lying: true})
		Expect(file.WriteThrough([]byte("bbbb"), 0)).To(Succeed())
		d.Set(fault.Disk{})
		writeSynced(f, "log/1.wal", "an entry")
		d.Crash()
		Expect(after()).To(Equal("bbbb222233334444"))
	})

	It("can be written on a full disk, but not on a failing one", func() {
		d.Set(fault.Disk{Full: true})
		Expect(file.WriteThrough([]byte("aaaa"), 0)).To(Succeed())
		Expect(file.Sync()).To(Succeed())
		d.Set(fault.Disk{Failing: true})
		Expect(file.WriteThrough([]byte("bbbb"), 0)).To(MatchError(syscall.EIO))
		d.Crash()
		Expect(file.WriteThrough([]byte("bbbb"), 0)).To(MatchError(disk.ErrLost))
		Expect(after()).To(Equal("aaaa222233334444"))
	})

	It("is removed by Wipe", func() {
		Expect(f.Close()).To(Succeed())
		Expect(d.Wipe()).To(Succeed())
		Expect(must(open(d).List("."))).To(BeEmpty())
	})
}))

var _ = Describe("A power loss", func() {
	It("loses data that was written through and not synced", func() {
		d := disk.Memory()
		f := open(d)
		writeSynced(f, "promises", "1111222233334444")
		file := must(f.Open("promises"))
		Expect(file.WriteThrough([]byte("aaaa"), 0)).To(Succeed())
		Expect(file.Sync()).To(Succeed())
		Expect(file.WriteThrough([]byte("bbbb"), 0)).To(Succeed())
		Expect(file.WriteThrough([]byte("cccc"), 0)).To(Succeed())
		Expect(file.WriteThrough([]byte("dddddddd"), 12)).To(Succeed())
		Expect(d.CutPower()).To(Succeed())
		f = open(d)
		Expect(read(f, "promises")).To(Equal("aaaa222233334444"))
		d.Crash()
	})

	It("is not supported for real files", func() {
		Expect(errors.Is(disk.Files(GinkgoT().TempDir()).CutPower(), errors.ErrUnsupported)).To(BeTrue())
	})
})
