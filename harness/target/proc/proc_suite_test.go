package proc_test

import (
	"context"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

func TestProc(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(20 * time.Second)
	RunSpecs(t, "Programs as nodes")
}

// patience is how long a spec may take on a busy machine.
const patience = SpecTimeout(2 * time.Minute)

// supported skips the spec where hosts cannot be made, and fails it if something of it is left.
func supported() {
	GinkgoHelper()
	if err := hosts.Supported(); err != nil {
		Skip(err.Error())
	}
	before := gleak.Goroutines()
	folder := GinkgoT().TempDir()
	GinkgoT().Setenv("TMPDIR", folder)
	DeferCleanup(func() {
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before))
		left, err := os.ReadDir(folder)
		Expect(err).NotTo(HaveOccurred())
		Expect(left).To(BeEmpty(), "files are left")
	})
}

// boot boots a cluster, which is closed after the spec.
func boot(ctx context.Context, t target.Target, size int) target.Cluster {
	GinkgoHelper()
	c, err := t.Boot(ctx, size)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return c
}

// self is this test's program.
func self() string {
	GinkgoHelper()
	path, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	return path
}

// run runs a request, and returns its rows.
func run(ctx context.Context, on target.SQL, sql string, level target.Consistency) ([][]any, error) {
	return sqldb.All(on.Query(ctx, target.Request{SQL: sql, Consistency: level}))
}
