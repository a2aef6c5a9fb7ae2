package fusefs_test

import (
	"io"
	"os"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/hosts/fusefs"
)

var _ = Describe("A crash of the disk", func() {
	var m *mounted
	BeforeEach(func() { m = fresh(fusefs.Options{}) })

	It("loses what was written and not synced", func(ctx SpecContext) {
		file := m.open("log", os.O_CREATE)
		must(file.WriteString("synced"))
		Expect(file.Sync()).To(Succeed())
		must(file.WriteAt([]byte("SYN"), 0))
		must(file.WriteString(" and more"))
		Expect(file.Close()).To(Succeed())
		Expect(m.read("log")).To(Equal("SYNced and more"))
		m.crash(ctx)
		Expect(m.read("log")).To(Equal("synced"))
	})

	It("keeps what was synced, in every way to sync", func(ctx SpecContext) {
		file := m.open("fdatasync", os.O_CREATE)
		must(file.WriteString("data"))
		Expect(syscall.Fdatasync(int(file.Fd()))).To(Succeed())
		must(m.open("O_SYNC", os.O_CREATE|os.O_SYNC).WriteString("data"))
		must(m.open("O_DSYNC", os.O_CREATE|syscall.O_DSYNC).WriteString("data"))
		m.crash(ctx)
		for _, name := range []string{"fdatasync", "O_SYNC", "O_DSYNC"} {
			Expect(m.read(name)).To(Equal("data"), name)
		}
	})

	It("fails all calls until the disk is mounted again", func(ctx SpecContext) {
		file := m.open("log", os.O_CREATE)
		Expect(m.Crash()).To(Succeed())
		_, err := file.WriteString("x")
		Expect(err).To(MatchError(syscall.EIO))
		Expect(file.Sync()).To(MatchError(syscall.EIO))
		_, err = file.Read(make([]byte, 1))
		Expect(err).To(MatchError(syscall.EIO))
		_, err = os.Create(m.path("other"))
		Expect(err).To(MatchError(syscall.EIO))
		Expect(file.Close()).To(Succeed())
		Expect(m.mount.Close(ctx)).To(Succeed())
		m.mountAgain()
		m.write("other", "x")
	})

	It("restores what was truncated, overwritten and punched out", func(ctx SpecContext) {
		content := string(make([]byte, 5000)) + "the middle" + string(make([]byte, 20000)) + "the end"
		for _, name := range []string{"short", "empty", "hole", "again"} {
			m.writeSynced(name, content)
		}
		Expect(os.Truncate(m.path("short"), 5003)).To(Succeed())
		m.write("empty", "new")
		hole := m.open("hole", 0)
		const punch = 2 | 1 // and keep the size
		Expect(syscall.Fallocate(int(hole.Fd()), punch, 4096, 8192)).To(Succeed())
		Expect(m.read("hole")).NotTo(ContainSubstring("middle"))
		again := m.open("again", os.O_TRUNC)
		must(again.WriteAt([]byte("x"), 30000))
		m.crash(ctx)
		for _, name := range []string{"short", "empty", "hole", "again"} {
			Expect(m.read(name)).To(Equal(content), name)
		}
	})

	It("takes back creations, removals and renames that no sync followed", func(ctx SpecContext) {
		Expect(os.MkdirAll(m.path("a/b"), 0o755)).To(Succeed())
		m.writeSynced("a/one", "1")
		m.writeSynced("a/two", "2")
		Expect(os.Symlink("one", m.path("a/link"))).To(Succeed())
		m.sync("a")

		m.write("a/new", "new")
		Expect(os.Rename(m.path("a/new"), m.path("a/two"))).To(Succeed())
		Expect(os.Remove(m.path("a/one"))).To(Succeed())
		Expect(os.Remove(m.path("a/b"))).To(Succeed())
		Expect(os.Remove(m.path("a/link"))).To(Succeed())
		Expect(os.Link(m.path("a/two"), m.path("a/three"))).To(Succeed())
		Expect(os.Mkdir(m.path("c"), 0o755)).To(Succeed())
		Expect(os.Rename(m.path("a"), m.path("c/a"))).To(Succeed())
		Expect(m.read("c/a/three")).To(Equal("new"))
		m.crash(ctx)
		Expect(m.read("a/one")).To(Equal("1"))
		Expect(m.read("a/two")).To(Equal("2"))
		Expect(os.Readlink(m.path("a/link"))).To(Equal("one"))
		Expect(os.ReadDir(m.at)).To(HaveLen(1))
		Expect(os.ReadDir(m.path("a"))).To(HaveLen(4))
	})

	It("keeps names that a sync of any file followed, but not their content", func(ctx SpecContext) {
		m.writeSynced("config", "old")
		m.write("config.new", "new")
		Expect(os.Rename(m.path("config.new"), m.path("config"))).To(Succeed())
		m.writeSynced("other", "x")
		m.crash(ctx)
		Expect(m.read("config")).To(BeEmpty(), "it was not synced before the rename")
		Expect(m.read("other")).To(Equal("x"))
	})

	It("restores a file that is removed and open, or removed and made again", func(ctx SpecContext) {
		m.writeSynced("log", "old")
		file := m.open("log", 0)
		Expect(os.Remove(m.path("log"))).To(Succeed())
		var stat syscall.Stat_t
		Expect(syscall.Fstat(int(file.Fd()), &stat)).To(Succeed())
		Expect(stat.Nlink).To(BeZero())
		must(file.WriteAt([]byte("new"), 0))
		content := make([]byte, 3)
		must(file.ReadAt(content, 0))
		Expect(content).To(BeEquivalentTo("new"))
		m.write("log", "another")
		m.crash(ctx)
		Expect(m.read("log")).To(Equal("old"))
	})

	It("loses nothing that was there before an orderly unmount", func(ctx SpecContext) {
		m.write("log", "not synced")
		Expect(m.mount.Close(ctx)).To(Succeed())
		m.mountAgain()
		m.crash(ctx)
		Expect(m.read("log")).To(Equal("not synced"))
	})

	It("restores content that exceeds the memory limit, from a file", func(ctx SpecContext) {
		m := fresh(fusefs.Options{Memory: 10_000})
		old, changed := make([]byte, 1<<20), make([]byte, 1<<20)
		for i := range old {
			old[i], changed[i] = byte(i/7), byte(i/5)
		}
		m.writeSynced("large", string(old))
		m.write("large", string(changed))
		m.crash(ctx)
		Expect(m.read("large")).To(Equal(string(old)))
	})

	It("reads sparse files, and their holes", func() {
		file := m.open("sparse", os.O_CREATE)
		must(file.WriteAt([]byte("x"), 1<<30))
		Expect(must(file.Stat()).Sys().(*syscall.Stat_t).Blocks).To(BeNumerically("<", 100))
		const data = 3
		Expect(file.Seek(0, data)).To(BeNumerically(">=", 1<<29))
		must(file.Seek(0, io.SeekStart))
	})
})
