package fusefs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts/fusefs"
)

var _ = Describe("A disk that", func() {
	var m *mounted
	BeforeEach(func() { m = fresh(fusefs.Options{}) })

	set := func(faults fault.Disk) {
		GinkgoHelper()
		Expect(m.Set(faults)).To(Succeed())
		Expect(m.Faults()).To(Equal(faults))
	}

	It("is full refuses what needs space, and nothing else", func() {
		file := m.open("log", os.O_CREATE)
		must(file.WriteString("0123"))
		sparse := m.open("sparse", os.O_CREATE)
		Expect(sparse.Truncate(1 << 20)).To(Succeed())
		set(fault.Disk{Full: true})
		_, err := file.WriteString("4")
		Expect(err).To(MatchError(syscall.ENOSPC))
		_, err = sparse.WriteString("x")
		Expect(err).To(MatchError(syscall.ENOSPC))
		Expect(syscall.Fallocate(int(file.Fd()), 0, 0, 1<<20)).To(MatchError(syscall.ENOSPC))
		_, err = os.Create(m.path("other"))
		Expect(err).To(MatchError(syscall.ENOSPC))
		Expect(os.Mkdir(m.path("other"), 0o755)).To(MatchError(syscall.ENOSPC))
		var stat syscall.Statfs_t
		Expect(syscall.Statfs(m.at, &stat)).To(Succeed())
		Expect(stat.Bavail).To(BeZero())

		must(file.WriteAt([]byte("abcd"), 0))
		Expect(file.Sync()).To(Succeed())
		Expect(os.Rename(m.path("log"), m.path("old"))).To(Succeed())
		Expect(m.read("old")).To(Equal("abcd"))
		Expect(os.Truncate(m.path("old"), 1)).To(Succeed())
		Expect(os.Remove(m.path("sparse"))).To(Succeed())
		set(fault.Disk{})
		must(file.WriteString("5"))
	})

	It("fails stores nothing, but can be read", func(ctx SpecContext) {
		m.writeSynced("log", "before")
		file := m.open("log", 0)
		must(file.WriteAt([]byte("B"), 0))
		set(fault.Disk{Failing: true})
		_, err := file.WriteAt([]byte("after"), 0)
		Expect(err).To(MatchError(syscall.EIO))
		Expect(file.Sync()).To(MatchError(syscall.EIO))
		_, err = os.Create(m.path("other"))
		Expect(err).To(MatchError(syscall.EIO))
		Expect(os.Remove(m.path("log"))).To(MatchError(syscall.EIO))
		Expect(os.Rename(m.path("log"), m.path("other"))).To(MatchError(syscall.EIO))
		Expect(os.Truncate(m.path("log"), 0)).To(MatchError(syscall.EIO))
		Expect(m.read("log")).To(Equal("Before"))
		m.crash(ctx)
		Expect(m.read("log")).To(Equal("before"))
	})

	It("is slow delays each sync, and not other calls", func() {
		const slow = 50 * time.Millisecond
		file := m.open("log", os.O_CREATE)
		set(fault.Disk{Slow: slow})
		takes := func(do func() error) time.Duration {
			GinkgoHelper()
			begun := time.Now()
			Expect(do()).To(Succeed())
			return time.Since(begun)
		}
		Expect(takes(func() error { _, err := file.WriteString("x"); return err })).To(BeNumerically("<", slow))
		Expect(takes(file.Sync)).To(BeNumerically(">=", slow))
		Expect(takes(func() error { return syscall.Fdatasync(int(file.Fd())) })).To(BeNumerically(">=", slow))
		dir := must(os.Open(m.at))
		Expect(takes(dir.Sync)).To(BeNumerically(">=", slow))
		Expect(dir.Close()).To(Succeed())
		each := m.open("log", syscall.O_DSYNC)
		Expect(takes(func() error { _, err := each.WriteString("y"); return err })).To(BeNumerically(">=", slow))
		Expect(m.Set(fault.Disk{Slow: -1})).To(MatchError("disk slowdown -1ns: must not be negative"))
	})

	It("is slow can be hurried, or made less slow, and ends waits in a crash", func(ctx SpecContext) {
		file := m.open("log", os.O_CREATE)
		must(file.WriteString("x"))
		set(fault.Disk{Slow: time.Hour})
		synced := make(chan error, 1)
		sync := func() { synced <- file.Sync() }
		go sync()
		Consistently(ctx, synced, "20ms").ShouldNot(Receive())
		end := m.Hurry()
		Eventually(ctx, synced).Should(Receive(BeNil()))
		end()
		go sync()
		Consistently(ctx, synced, "20ms").ShouldNot(Receive())
		set(fault.Disk{Slow: 2 * time.Hour})
		Consistently(ctx, synced, "20ms").ShouldNot(Receive())
		set(fault.Disk{})
		Eventually(ctx, synced).Should(Receive(BeNil()))
		set(fault.Disk{Slow: time.Hour})
		go sync()
		Consistently(ctx, synced, "20ms").ShouldNot(Receive())
		Expect(m.Crash()).To(Succeed())
		Eventually(ctx, synced).Should(Receive(MatchError(syscall.EIO)))
		set(fault.Disk{})
		Expect(file.Close()).To(Succeed())
		m.crash(ctx)
	})

	When("it lies about syncs", func() {
		var file *os.File
		BeforeEach(func() {
			m.writeSynced("log", "before")
			m.writeSynced("gone", "gone")
			file = m.open("log", 0)
			set(fault.Disk{Lying: true})
			must(file.WriteAt([]byte("during"), 0))
			Expect(file.Sync()).To(Succeed())
			m.writeSynced("new", "new")
			Expect(os.Remove(m.path("gone"))).To(Succeed())
			m.sync(".")
		})

		before := func() {
			GinkgoHelper()
			Expect(m.read("log")).To(Equal("before"))
			Expect(m.read("gone")).To(Equal("gone"))
			Expect(m.path("new")).NotTo(BeAnExistingFile())
		}

		It("loses everything since the fault began in a crash", func(ctx SpecContext) {
			m.crash(ctx)
			before()
		})

		It("also loses it if it lies no more and nothing was synced since", func(ctx SpecContext) {
			set(fault.Disk{})
			m.crash(ctx)
			before()
		})

		It("makes it durable with the next true sync, of any file", func(ctx SpecContext) {
			set(fault.Disk{})
			m.writeSynced("other", "other")
			m.crash(ctx)
			Expect(m.read("log")).To(Equal("during"))
			Expect(m.read("new")).To(Equal("new"))
			Expect(m.path("gone")).NotTo(BeAnExistingFile())
		})
	})

	It("tears stores half of one sync, and nothing after it", func(ctx SpecContext) {
		m.writeSynced("log", "before")
		m.writeSynced("other", "other")
		file, other := m.open("log", 0), m.open("other", 0)
		set(fault.Disk{Torn: true})
		Expect(file.Sync()).To(Succeed(), "a sync without anything to store is not torn")
		must(file.WriteAt([]byte("0123"), 0))
		must(file.WriteAt([]byte("456789"), 4))
		calls := make(chan error, 3)
		go func() { calls <- file.Sync() }()
		Eventually(ctx, m.Torn).Should(BeTrue())
		Expect(m.Faults()).To(Equal(fault.Disk{}))
		go func() { calls <- os.Rename(m.path("log"), m.path("new")) }()
		go func() { _, err := other.WriteString("x"); calls <- err }()
		Consistently(ctx, calls, "20ms").ShouldNot(Receive())
		Expect(m.read("log")).To(Equal("0123456789"))
		Expect(m.Crash()).To(Succeed())
		for range cap(calls) {
			Eventually(ctx, calls).Should(Receive(MatchError(syscall.EIO)))
		}
		m.crash(ctx)
		Expect(m.read("log")).To(Equal("01234e"))
		Expect(m.read("other")).To(Equal("other"))
		m.writeSynced("log", "only one sync is torn")
	})

	It("tears keeps the first half of what was appended and of overwritten pages", func(ctx SpecContext) {
		old := strings.Repeat("o", 3*4096+100)
		m.writeSynced("log", old)
		file := m.open("log", 0)
		must(file.WriteAt([]byte(strings.Repeat("n", 4096)), 4096-50))
		must(file.WriteAt([]byte(strings.Repeat("a", 10_000)), int64(len(old))))
		set(fault.Disk{Torn: true})
		go func() { _ = file.Sync() }()
		Eventually(ctx, m.Torn).Should(BeTrue())
		m.crash(ctx)
		const half = (4096 + 10_000) / 2
		Expect(m.read("log")).To(Equal(old[:4096-50] + strings.Repeat("n", 4096) + old[2*4096-50:] + strings.Repeat("a", half-4096)))
	})
})

var _ = Describe("Damage", func() {
	var m *mounted
	BeforeEach(func() { m = fresh(fusefs.Options{}) })

	It("flips one byte that programs have read before, until it is flipped again", func(ctx SpecContext) {
		Expect(os.Mkdir(m.path("a"), 0o755)).To(Succeed())
		m.writeSynced("a/log", "0123")
		file := m.open("a/log", 0)
		content := make([]byte, 4)
		must(file.ReadAt(content, 0))
		Expect(m.Damage("a/log", 1)).To(Succeed())
		must(file.ReadAt(content, 0))
		Expect(content).To(Equal([]byte{'0', ^byte('1'), '2', '3'}))
		m.crash(ctx)
		Expect(m.read("a/log")).To(BeEquivalentTo(content))
		Expect(m.Damage("a/log", -3)).To(Succeed())
		Expect(m.read("a/log")).To(Equal("0123"))
	})

	It("also flips what a crash restores", func(ctx SpecContext) {
		m.writeSynced("log", "0123")
		must(m.open("log", 0).WriteAt([]byte("ab"), 0))
		Expect(m.Damage("log", 1)).To(Succeed())
		Expect(m.read("log")).To(BeEquivalentTo([]byte{'a', ^byte('b'), '2', '3'}))
		m.crash(ctx)
		Expect(m.read("log")).To(BeEquivalentTo([]byte{'0', ^byte('1'), '2', '3'}))
	})

	It("refuses what is not there, with the name", func() {
		m.writeSynced("log", "0123")
		Expect(m.Damage("log", 4)).To(MatchError(And(ContainSubstring("byte 4 of log"), ContainSubstring("has 4 bytes"))))
		Expect(m.Damage("other", 0)).To(MatchError(ContainSubstring("of other")))
		Expect(m.Damage("other", 0)).To(MatchError(os.ErrNotExist))
		Expect(m.Damage("../disk/log", 0)).To(MatchError(ContainSubstring("below the directory")))
	})

	It("from outside is seen when the file is opened again", func() {
		for i, content := range []string{"0123", "abcd", "ABCD"} {
			path := filepath.Join(m.real, "log")
			Expect(os.WriteFile(path, []byte(content), 0o644)).To(Succeed())
			at := time.Unix(int64(1000+i), 0) // the clock of some kernels is coarse
			Expect(os.Chtimes(path, at, at)).To(Succeed())
			Expect(m.read("log")).To(Equal(content))
			Expect(m.read("log")).To(Equal(content))
		}
	})

	It("from outside is seen after Refresh while the file is open", func() {
		m.writeSynced("log", "0123")
		file := m.open("log", 0)
		content := make([]byte, 4)
		must(file.ReadAt(content, 0))
		real := must(os.OpenFile(filepath.Join(m.real, "log"), os.O_RDWR, 0))
		must(real.WriteAt([]byte("x"), 0))
		Expect(real.Close()).To(Succeed())
		Expect(m.Refresh()).To(Succeed())
		must(file.ReadAt(content, 0))
		Expect(content).To(BeEquivalentTo("x123"))
		Expect(bytes.Contains(content, []byte("0"))).To(BeFalse())
	})
})
