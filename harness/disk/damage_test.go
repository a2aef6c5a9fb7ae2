package disk_test

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
)

var _ = onBoth("Damage", func(fresh func() *disk.Disk) {
	var d *disk.Disk
	var f *disk.FS
	BeforeEach(func() {
		d = fresh()
		f = open(d)
		DeferCleanup(d.Crash)
	})

	// differs counts the bytes that are not what they were.
	differs := func(before, after string) (count int) {
		for i := range before {
			if before[i] != after[i] {
				count++
			}
		}
		return count
	}

	It("flips one byte of what the newest file holds, and the holder reads it", func() {
		writeSynced(f, "log/1.wal", "old")
		file := must(f.Create("log/2.wal", 1<<21))
		must(file.WriteAt([]byte("content"), 0))
		must(file.WriteAt([]byte{0}, 1<<21))
		Expect(file.Sync()).To(Succeed())
		writeSynced(f, "log/3.wal", "\x00\x00")
		writeSynced(f, "log/zzz", "not a segment")
		Expect(must(d.Damage(disk.Log))).To(HaveSuffix("log/2.wal"))
		Expect(differs("content", read(f, "log/2.wal"))).To(Equal(1))
		Expect(read(f, "log/1.wal")).To(Equal("old"))
	})

	It("flips back what it flipped", func() {
		writeSynced(f, "snapshots/1.snapshot", "content")
		Expect(f.Close()).To(Succeed())
		must(d.Damage(disk.Snapshot))
		Expect(must(d.Damage(disk.Snapshot))).To(HaveSuffix("snapshots/1.snapshot"))
		Expect(read(open(d), "snapshots/1.snapshot")).To(Equal("content"))
	})

	It("says that there is nothing to damage", func() {
		_, err := d.Damage(disk.Log)
		Expect(err).To(MatchError(ContainSubstring("the log cannot be damaged: there is none")))
		write(f, "snapshots/1.snapshot", "not synced")
		_, err = d.Damage(disk.Snapshot)
		Expect(err).To(MatchError(ContainSubstring("there is none")))
		_, err = d.Damage(disk.Database)
		Expect(err).To(MatchError("the database is not on this disk"))
		_, err = d.Damage("lid")
		Expect(err).To(MatchError(ContainSubstring(`no part "lid"`)))
	})
})

var _ = Describe("FlipByte", func() {
	It("flips the bits of one byte of a real file", func() {
		file := filepath.Join(GinkgoT().TempDir(), "file")
		Expect(os.WriteFile(file, []byte{1, 2, 3}, 0o600)).To(Succeed())
		Expect(disk.FlipByte(file, 1)).To(Succeed())
		Expect(os.ReadFile(file)).To(Equal([]byte{1, 0xFD, 3}))
		Expect(disk.FlipByte(file, 3)).To(MatchError(ContainSubstring(file)))
	})

	It("can be done to a child's files from outside", func() {
		dir := GinkgoT().TempDir()
		d := disk.Files(dir)
		f := open(d)
		DeferCleanup(d.Crash)
		writeSynced(f, "log/1.wal", "content")
		Expect(must(disk.Files(dir).Damage(disk.Log))).To(Equal(filepath.Join(dir, "log", "1.wal")))
		Expect(read(f, "log/1.wal")).NotTo(Equal("content"))
	})
})
