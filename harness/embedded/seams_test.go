package embedded_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

var errImpatient = errors.New("it does not wait")

// impatient is a Progress whose WaitApplied fails immediately while is is set.
type impatient struct {
	embedded.Progress
	is *atomic.Bool
}

func (p impatient) WaitApplied(ctx context.Context, index uint64) error {
	if p.is.Load() {
		return errImpatient
	}
	return p.Progress.WaitApplied(ctx, index)
}

var _ = It("A decorator of Progress affects all reads except local ones", func(ctx SpecContext) {
	var refused atomic.Bool
	c := boot(3, func(config *embedded.Config) {
		config.Seams = func(embedded.Life) embedded.Seams {
			return embedded.Seams{Progress: func(inner embedded.Progress) embedded.Progress { return impatient{inner, &refused} }}
		}
	})
	leader := c.leader(ctx)
	c.session(leader).ok(ctx, "", "CREATE TABLE t (v)")
	c.converge(ctx)
	refused.Store(true)
	for _, consistency := range []string{"leader", "strong"} {
		a := c.session(leader).do(ctx, consistency, "SELECT v FROM t")
		Expect(a.HTTP).To(Equal(http.StatusServiceUnavailable), consistency)
		Expect(a.Error.Message).To(ContainSubstring(errImpatient.Error()), consistency)
	}
	Expect(c.session(leader).do(ctx, "local", "SELECT v FROM t").HTTP).To(Equal(http.StatusOK))
}, SpecTimeout(30*time.Second))
