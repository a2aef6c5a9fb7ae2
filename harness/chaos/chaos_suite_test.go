// Raft draws its timeouts from math/rand, which a seed reaches only with this.
//
//go:debug randseednop=0
package chaos_test

import (
	"context"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

func TestMain(m *testing.M) {
	main()
	os.Exit(m.Run())
}

func TestChaos(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Chaos")
}

// patience bounds a spec that waits for something that never happens.
const patience = SpecTimeout(2 * time.Minute)

// inBubble runs a schedule in a bubble of its own.
func inBubble(ctx context.Context, s chaos.Schedule, o chaos.Options) (outcome *chaos.Outcome, err error) {
	broken := virtual.Run(ctx, func(ctx context.Context) { outcome, err = chaos.Run(ctx, virtual.New(virtual.Options{}), s, o) })
	if broken != nil {
		return nil, broken
	}
	return outcome, err
}

// at is a fault of a schedule.
func at(begin, lasts time.Duration, f fault.Fault) chaos.Entry {
	return chaos.Entry{At: begin, Lasts: lasts, Fault: f}
}

// oneLink is a link, as the links of a fault.
func oneLink(from, to int) []fault.Link { return []fault.Link{{From: from, To: to}} }

// bothWays is a link and the one back, as the links of a fault.
func bothWays(from, to int) []fault.Link {
	return []fault.Link{{From: from, To: to}, {From: to, To: from}}
}

// nothingIsLeft fails the spec if it leaves a goroutine behind.
func nothingIsLeft() {
	GinkgoHelper()
	before := gleak.Goroutines()
	DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before)) })
}
