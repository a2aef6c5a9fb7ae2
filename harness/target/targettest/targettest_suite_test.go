package targettest_test

import (
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/process"
)

func TestTargettest(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Targettest")
}

var (
	binary     string   // the program of the process target's nodes
	folders    []string // of targets' files; empty when the suite is over
	goroutines []gleak.Goroutine
)

// The specs of Register share clusters, so that only the whole suite must leave nothing.
var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	built, remove, err := process.Build(ctx)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(remove)
	return []byte(built)
}, func(built []byte) {
	binary = string(built)
	goroutines = gleak.Goroutines()
})

var _ = AfterSuite(func() {
	for _, dir := range folders {
		Expect(os.Remove(dir)).To(Succeed())
	}
	Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
})
