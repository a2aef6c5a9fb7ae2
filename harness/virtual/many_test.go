package virtual_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// usage is the resources that must not grow.
type usage struct {
	goroutines, files int
	heap              uint64 // bytes
}

func used() (u usage) {
	runtime.GC()
	runtime.GC() // the first may have queued finalizers
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.goroutines, u.heap = runtime.NumGoroutine(), m.HeapAlloc
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		u.files = len(open)
	}
	return u
}

func (u usage) expectNoMoreThan(before usage) {
	GinkgoHelper()
	Expect(u.goroutines).To(BeNumerically("<=", before.goroutines), "goroutines were left")
	Expect(u.files).To(BeNumerically("<=", before.files), "files were left open")
	Expect(u.heap).To(BeNumerically("<", before.heap+8<<20), "memory was left")
}

var _ = Describe("A thousand bubbles", Ordered, Serial, func() {
	var before usage
	Context("of a spec", func() {
		BeforeAll(func() { before = used() })
		It("run", MustPassRepeatedly(1000), virtual.Bubble(), func(ctx SpecContext) {
			ticker := time.NewTicker(time.Minute)
			DeferCleanup(ticker.Stop)
			Eventually(ctx, ticker.C).WithTimeout(time.Hour).WithPolling(time.Minute).Should(Receive())
		})
		It("leave nothing behind", func() {
			used().expectNoMoreThan(before)
		})
	})
})

// TestManyClusters boots and closes clusters in sequence.
func TestManyClusters(t *testing.T) {
	dir := t.TempDir()
	once := func(seed uint64) {
		synctest.Test(t, func(t *testing.T) {
			c, err := harness.Boot(context.Background(),
				virtual.New(virtual.Options{Nodes: local.Options{Dir: dir}}), harness.Seed(seed))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
	for seed := range 10 {
		once(uint64(seed))
	}
	before := used()
	for seed := range *manyClusters {
		once(uint64(seed))
	}
	RegisterTestingT(t)
	used().expectNoMoreThan(before)
	Expect(filepath.Glob(filepath.Join(dir, "*"))).To(BeEmpty())
}
