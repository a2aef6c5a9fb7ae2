package local_test

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
)

func TestLocal(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second)
	RunSpecs(t, "Local")
}

const patience = SpecTimeout(time.Minute)

// boot boots a cluster that must leave no goroutine and no file after the spec.
func boot(ctx context.Context, size int, options local.Options) *harness.Cluster {
	GinkgoHelper()
	nothingIsLeft(&options)
	c, err := harness.Boot(ctx, local.New(options), harness.Size(size))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return c
}

// nothingIsLeft gives the clusters a new directory, which must be empty after the spec. No goroutine may be left either.
func nothingIsLeft(options *local.Options) {
	GinkgoHelper()
	goroutines := gleak.Goroutines()
	options.Dir = GinkgoT().TempDir()
	DeferCleanup(func() {
		Expect(os.ReadDir(options.Dir)).To(BeEmpty())
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
	})
}
