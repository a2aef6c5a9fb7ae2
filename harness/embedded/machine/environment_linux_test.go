package machine_test

import (
	"errors"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// small returns a directory on a file system of 4 MiB.
func small() string {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		Skip("mounting a small disk needs a privilege: " + err.Error())
	}
	DeferCleanup(func() error { return syscall.Unmount(dir, 0) })
	return dir
}

var _ = Describe("A full disk", func() {
	const insert = "INSERT INTO t VALUES (zeroblob(100000))"

	It("stops the machine permanently, at the batch before", func() {
		n := openIn(small(), machine.Options{})
		n.must("CREATE TABLE t (v)")
		var err error
		for range 100 {
			if err = n.batch(entries("INSERT INTO t VALUES ('first')", insert)...)[1].Err; err != nil {
				break
			}
		}
		var failed *machine.FailedError
		Expect(errors.As(err, &failed)).To(BeTrue())
		Expect(sqlite.Environmental(failed.Cause)).To(BeTrue())
		Expect(err).To(MatchError(ContainSubstring("database or disk is full")))
		Expect(n.Applied()).To(Equal(n.index - 2))
		applied := n.Applied()
		Expect(n.do("DELETE FROM t").Err).To(Equal(err))
		Expect(n.Applied()).To(Equal(applied))
	})

	It("fails a snapshot but not the machine", func() {
		n := openIn(small(), machine.Options{})
		n.must("CREATE TABLE t (v)")
		for range 10 {
			n.must(insert)
		}
		taken, err := n.Snapshot()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(taken.Release)
		for range 8 {
			n.must(insert)
		}
		before := files(n.dir)
		out := &sink{}
		if err := taken.Persist(out); err != nil {
			Expect(out.ended).To(Equal("cancelled"))
		}
		Expect(files(n.dir)).To(Equal(before))
		taken.Release()
		Expect(n.Failed()).NotTo(HaveOccurred())
		n.must("SELECT 1")
	})
})
