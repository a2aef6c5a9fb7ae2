// Raft draws its timeouts from math/rand, which a seed reaches only with this.
//
//go:debug randseednop=0
package chaos_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

func TestChaos(t *testing.T) {
	serveAsWorker()
	RegisterFailHandler(Fail)
	RunSpecs(t, "Chaos")
}

// patience ends a spec that waits for what never comes.
const patience = SpecTimeout(2 * time.Minute)

// inBubble runs a schedule in a bubble of its own.
func inBubble(ctx context.Context, s chaos.Schedule, o chaos.Options) (outcome *chaos.Outcome, err error) {
	broken := virtual.Run(ctx, func(ctx context.Context) { outcome, err = chaos.Run(ctx, virtual.New(virtual.Options{}), s, o) })
	if broken != nil {
		return nil, broken
	}
	return outcome, err
}

// nothingIsLeft has the spec leave no goroutine.
func nothingIsLeft() {
	GinkgoHelper()
	before := gleak.Goroutines()
	DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before)) })
}
