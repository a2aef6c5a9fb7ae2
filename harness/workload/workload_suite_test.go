// Raft draws its timeouts from math/rand, which a seed reaches only with this.
//
//go:debug randseednop=0
package workload_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"
)

func TestWorkload(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Workload")
}

// patience bounds a spec that waits for something that never happens.
const patience = SpecTimeout(2 * time.Minute)

// nothingIsLeft fails the spec if it leaves a goroutine behind.
func nothingIsLeft() {
	GinkgoHelper()
	before := gleak.Goroutines()
	DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before)) })
}
