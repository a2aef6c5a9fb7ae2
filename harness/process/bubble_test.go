package process_test

import (
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/process"
)

// A test and no spec, because synctest takes a *testing.T.
func TestNotInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, begun := NewWithT(t), time.Now()
		_, err := harness.Boot(t.Context(), process.New(options()))
		g.Expect(err).To(MatchError(local.ErrInBubble))
		g.Expect(err).To(MatchError(And(ContainSubstring("synctest bubble"), Not(ContainSubstring("\n")))))
		g.Expect(time.Since(begun)).To(BeZero())
	})
}
