package process_test

import (
	"context"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/target"
)

func TestProcess(t *testing.T) {
	if os.Getenv(parentBinary) != "" {
		t.Fatal(beParent())
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(20 * time.Second)
	SetDefaultEventuallyPollingInterval(2 * time.Millisecond)
	RunSpecs(t, "Process")
}

const patience = SpecTimeout(time.Minute)

// binary is the nodes' program, built once for all of Ginkgo's processes.
var binary string

var removeBinary = func() error { return nil }

var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	built, remove, err := process.Build(ctx)
	Expect(err).NotTo(HaveOccurred())
	removeBinary = remove
	return []byte(built)
}, func(built []byte) { binary = string(built) })

var _ = SynchronizedAfterSuite(func() {}, func() { Expect(removeBinary()).To(Succeed()) })

func options() process.Options {
	return process.Options{
		Binary: func() string { return binary },
		Nodes:  local.Options{SnapshotThreshold: 256, SnapshotInterval: 50 * time.Millisecond, TrailingLogs: 64},
	}
}

// fixture is a cluster with both its interfaces: that of the harness and that of the target.
type fixture struct {
	*harness.Cluster
	target *process.Cluster
}

// booted records the cluster that a target boots.
type booted struct {
	target.Target
	last target.Cluster
}

func (b *booted) Boot(ctx context.Context, size int) (target.Cluster, error) {
	var err error
	b.last, err = b.Target.Boot(ctx, size)
	return b.last, err
}

// boot boots a cluster that must leave no goroutine, no file and no process after the spec.
func boot(ctx context.Context, size int, change ...func(*process.Options)) *fixture {
	GinkgoHelper()
	o := options()
	for _, c := range change {
		c(&o)
	}
	nothingIsLeft(&o)
	b := &booted{Target: process.New(o)}
	c, err := harness.Boot(ctx, b, harness.Size(size))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return &fixture{c, b.last.(*process.Cluster)}
}

// nothingIsLeft gives the clusters a new directory, which must be empty after the spec. No process, goroutine or open file
// may be left either.
func nothingIsLeft(o *process.Options) {
	GinkgoHelper()
	goroutines, files := gleak.Goroutines(), openFiles()
	if o.Nodes.Dir == "" {
		o.Nodes.Dir = GinkgoT().TempDir()
	}
	dir := o.Nodes.Dir
	DeferCleanup(func() {
		Expect(os.ReadDir(dir)).To(BeEmpty())
		Expect(children(os.Getpid())).To(BeEmpty())
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
		Eventually(openFiles).Should(BeNumerically("<=", files))
	})
}

// openFiles returns how many file descriptors this process has open.
func openFiles() int {
	GinkgoHelper()
	entries, err := os.ReadDir("/proc/self/fd")
	Expect(err).NotTo(HaveOccurred())
	return len(entries)
}

func (w *fixture) run(ctx context.Context, sql string) {
	GinkgoHelper()
	_, err := w.ExecuteOnRandom(ctx, sql)
	Expect(err).NotTo(HaveOccurred())
}
