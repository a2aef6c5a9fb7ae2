package local_test

import (
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
)

// A test and no spec, because synctest takes a *testing.T.
func TestNotInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, begun := NewWithT(t), time.Now()
		_, err := harness.Boot(t.Context(), local.New(local.Options{Dir: t.TempDir()}))
		g.Expect(err).To(MatchError(local.ErrInBubble))
		g.Expect(err).To(MatchError(And(ContainSubstring("synctest bubble"), Not(ContainSubstring("\n")))))
		g.Expect(time.Since(begun)).To(BeZero())
	})
}
