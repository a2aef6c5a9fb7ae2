package disk_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
)

var _ = Describe("A disk", onBoth(func(fresh func() *disk.Disk) {
	var d *disk.Disk
	var f *disk.FS
	BeforeEach(func() {
		d = fresh()
		f = open(d)
		DeferCleanup(d.Crash)
	})

	It("loses unsynced data in a crash, and nothing else", func() {
		file := writeSynced(f, "log/a", "one two three")
		must(file.WriteAt([]byte("2nd"), 4))
		write(f, "log/b", "never synced")
		Expect(read(f, "log/a")).To(Equal("one 2nd three"), "the node reads its own writes")
		f = afterCrash(d)
		Expect(read(f, "log/a")).To(Equal("one two three"))
		Expect(read(f, "log/b")).To(BeEmpty())
	})

	It("keeps renames and removals in a crash", func() {
		writeSynced(f, "log/a", "a")
		writeSynced(f, "log/b", "b")
		Expect(f.Rename("log/a", "log/b")).To(Succeed())
		writeSynced(f, "log/c", "c")
		Expect(f.Remove("log/c")).To(Succeed())
		f = afterCrash(d)
		Expect(f.List("log")).To(Equal([]string{"b"}))
		Expect(read(f, "log/b")).To(Equal("a"))
	})

	It("fails all calls after a crash", func() {
		file := writeSynced(f, "log/a", "a")
		d.Crash()
		_, err := file.ReadAt(make([]byte, 1), 0)
		Expect(err).To(MatchError(disk.ErrLost))
		_, err = file.WriteAt([]byte("x"), 0)
		Expect(err).To(MatchError(disk.ErrLost))
		Expect(file.Sync()).To(MatchError(disk.ErrLost))
		Expect(f.Rename("log/a", "log/b")).To(MatchError(disk.ErrLost))
		Expect(f.Remove("log/a")).To(MatchError(disk.ErrLost))
		_, err = f.Create("log/b", 0)
		Expect(err).To(MatchError(disk.ErrLost))
		_, err = f.List("log")
		Expect(err).To(MatchError(disk.ErrLost))
		Expect(file.Close()).To(Succeed(), "a crashed node can still close its files")
		Expect(f.Close()).To(Succeed())
		d.Crash()
		Expect(read(open(d), "log/a")).To(Equal("a"))
	})

	It("can be opened once at a time", func() {
		_, err := d.Open()
		Expect(err).To(MatchError(disk.ErrInUse))
		Expect(d.Wipe()).To(MatchError(disk.ErrInUse))
		Expect(f.Close()).To(Succeed())
		f = open(d)
		Expect(f.Close()).To(Succeed())
	})

	It("loses unsynced data on Close", func() {
		file := writeSynced(f, "log/a", "synced")
		must(file.WriteAt([]byte("SYNCED"), 0))
		Expect(f.Close()).To(Succeed())
		Expect(read(open(d), "log/a")).To(Equal("synced"))
	})

	It("lists a missing directory as empty", func() {
		Expect(f.List("log")).To(BeEmpty())
	})

	It("names a missing or existing file in errors", func() {
		_, err := f.Open("log/a")
		Expect(err).To(And(MatchError(fs.ErrNotExist), MatchError(ContainSubstring("log/a"))))
		Expect(f.Remove("log/a")).To(MatchError(fs.ErrNotExist))
		Expect(f.Rename("log/a", "log/b")).To(MatchError(fs.ErrNotExist))
		write(f, "log/a", "")
		_, err = f.Create("log/a", 0)
		Expect(err).To(And(MatchError(fs.ErrExist), MatchError(ContainSubstring("log/a"))))
	})

	It("reads across durable and unsynced data", func() {
		file := writeSynced(f, "log/a", "0123456789")
		must(file.WriteAt([]byte("abc"), 3))
		must(file.WriteAt([]byte("Bc"), 4))
		must(file.WriteAt([]byte("end"), 12))
		Expect(read(f, "log/a")).To(Equal("012aBc6789\x00\x00end"))
		part := make([]byte, 4)
		Expect(file.ReadAt(part, 4)).To(Equal(4))
		Expect(part).To(BeEquivalentTo("Bc67"))
		n, err := file.ReadAt(part, 13)
		Expect(n).To(Equal(2))
		Expect(err).To(MatchError(io.EOF))
		_, err = file.ReadAt(part, 100)
		Expect(err).To(MatchError(io.EOF))
		Expect(file.Sync()).To(Succeed())
		Expect(read(afterCrash(d), "log/a")).To(Equal("012aBc6789\x00\x00end"))
	})

	It("keeps a removed file that is open", func() {
		file := writeSynced(f, "log/a", "here")
		must(file.WriteAt([]byte("H"), 0))
		Expect(f.Remove("log/a")).To(Succeed())
		part := make([]byte, 4)
		must(file.ReadAt(part, 0))
		Expect(part).To(BeEquivalentTo("Here"))
		Expect(file.Close()).To(Succeed())
		_, err := file.ReadAt(part, 0)
		Expect(err).To(MatchError(fs.ErrClosed))
	})

	It("is empty after Wipe", func() {
		writeSynced(f, "log/a.wal", "a")
		writeSynced(f, "snapshots/b", "b")
		Expect(f.Close()).To(Succeed())
		Expect(d.Wipe()).To(Succeed())
		f = open(d)
		Expect(f.List("log")).To(BeEmpty())
		Expect(f.List("snapshots")).To(BeEmpty())
	})
}))

var _ = Describe("A disk of real files", func() {
	It("writes unsynced data to no file, so that a SIGKILL loses it", func() {
		dir := GinkgoT().TempDir()
		d := disk.Files(dir)
		f := open(d)
		DeferCleanup(d.Crash)
		file := writeSynced(f, "log/a", "synced")
		must(file.WriteAt([]byte("and more"), 6))
		Expect(os.ReadFile(filepath.Join(dir, "log", "a"))).To(BeEquivalentTo("synced"))
		Expect(file.Sync()).To(Succeed())
		Expect(os.ReadFile(filepath.Join(dir, "log", "a"))).To(BeEquivalentTo("syncedand more"))
	})

	It("does not create its directory", func() {
		dir := filepath.Join(GinkgoT().TempDir(), "missing")
		f := open(disk.Files(dir))
		_, err := f.Create("log/a", 0)
		Expect(err).To(MatchError(fs.ErrNotExist))
		Expect(dir).NotTo(BeADirectory())
		Expect(f.Close()).To(Succeed())
	})
})
