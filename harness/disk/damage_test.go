package disk_test

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = Describe("Damage", onBoth(func(fresh func() *disk.Disk) {
	var d *disk.Disk
	var f *disk.FS
	BeforeEach(func() {
		d = fresh()
		f = open(d)
		DeferCleanup(d.Crash)
	})

	// differs counts the changed bytes.
	differs := func(before, after string) (count int) {
		for i := range before {
			if before[i] != after[i] {
				count++
			}
		}
		return count
	}

	It("flips one byte in the newest file with content, visible to the node", func() {
		writeSynced(f, "log/1.wal", "old")
		file := must(f.Create("log/2.wal", 1<<21))
		must(file.WriteAt([]byte("content"), 0))
		must(file.WriteAt([]byte{0}, 1<<21))
		Expect(file.Sync()).To(Succeed())
		writeSynced(f, "log/3.wal", "\x00\x00")
		writeSynced(f, "log/zzz", "not a segment")
		Expect(must(d.Damage(fault.Log))).To(HaveSuffix("log/2.wal"))
		Expect(differs("content", read(f, "log/2.wal"))).To(Equal(1))
		Expect(read(f, "log/1.wal")).To(Equal("old"))
	})

	It("restores the byte when repeated", func() {
		writeSynced(f, "snapshots/1.snapshot", "content")
		Expect(f.Close()).To(Succeed())
		must(d.Damage(fault.Snapshot))
		Expect(must(d.Damage(fault.Snapshot))).To(HaveSuffix("snapshots/1.snapshot"))
		Expect(read(open(d), "snapshots/1.snapshot")).To(Equal("content"))
	})

	It("returns an error if there is nothing to damage", func() {
		_, err := d.Damage(fault.Log)
		Expect(err).To(MatchError(ContainSubstring("damage the log: there is none")))
		write(f, "snapshots/1.snapshot", "not synced")
		_, err = d.Damage(fault.Snapshot)
		Expect(err).To(MatchError(ContainSubstring("there is none")))
		_, err = d.Damage(fault.Database)
		Expect(err).To(MatchError("the database is not on this disk"))
		_, err = d.Damage("lid")
		Expect(err).To(MatchError(ContainSubstring(`unknown disk part "lid"`)))
	})
}))

var _ = Describe("FlipByte", func() {
	It("flips the bits of one byte of a real file", func() {
		file := filepath.Join(GinkgoT().TempDir(), "file")
		Expect(os.WriteFile(file, []byte{1, 2, 3}, 0o600)).To(Succeed())
		Expect(disk.FlipByte(file, 1)).To(Succeed())
		Expect(os.ReadFile(file)).To(Equal([]byte{1, 0xFD, 3}))
		Expect(disk.FlipByte(file, 3)).To(MatchError(ContainSubstring(file)))
	})

	It("works on the files of a different process", func() {
		dir := GinkgoT().TempDir()
		d := disk.Files(dir)
		f := open(d)
		DeferCleanup(d.Crash)
		writeSynced(f, "log/1.wal", "content")
		Expect(must(disk.Files(dir).Damage(fault.Log))).To(Equal(filepath.Join(dir, "log", "1.wal")))
		Expect(read(f, "log/1.wal")).NotTo(Equal("content"))
	})
})

var _ = Describe("Data lost at rest", onBoth(func(fresh func() *disk.Disk) {
	// segment returns a raft-wal segment with appends of one entry each.
	segment := func(entries ...string) string {
		content := make([]byte, 32)
		frame := func(kind byte, length int) []byte { return []byte{kind, 0, 0, 0, byte(length), 0, 0, 0} }
		for _, entry := range entries {
			content = append(content, frame(1, len(entry))...)
			content = append(content, entry...)
			content = append(content, make([]byte, (8-len(entry)%8)%8)...)
			content = append(content, frame(3, 7)...)
		}
		content[0] = 1
		return string(content)
	}

	var d *disk.Disk
	BeforeEach(func() {
		d = fresh()
		f := open(d)
		DeferCleanup(d.Crash)
		writeSynced(f, "log/1.wal", segment("old"))
		writeSynced(f, "log/2.wal", segment("first", "second", "third", "fourth"))
		writeSynced(f, "log/3.wal", segment())
		writeSynced(f, "log/meta", "meta")
		writeSynced(f, "snapshots/1.snapshot", "content")
		Expect(f.Close()).To(Succeed())
	})

	It("can be the end of the newest log file, up to the end of an append", func() {
		Expect(must(d.Damage(fault.LogEnd))).To(HaveSuffix("log/2.wal"))
		Expect(read(open(d), "log/2.wal")).To(Equal(segment("first")))
	})

	It("can be the newest log file with entries", func() {
		Expect(must(d.Damage(fault.LogFile))).To(HaveSuffix("log/2.wal"))
		Expect(must(open(d).List("log"))).To(Equal([]string{"1.wal", "3.wal", "meta"}))
	})

	It("can be the whole log", func() {
		Expect(must(d.Damage(fault.LogFolder))).To(HaveSuffix("log/2.wal"))
		f := open(d)
		Expect(must(f.List("log"))).To(BeEmpty())
		Expect(must(f.List("snapshots"))).To(HaveLen(1))
		Expect(f.Close()).To(Succeed())
		_, err := d.Damage(fault.LogFile)
		Expect(err).To(MatchError(ContainSubstring("remove the last file of the log: there is none")))
	})
}))
