package proc_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target/proc"
)

var _ = Describe("Until", func() {
	It("ends with what it waits for, or with the last error", func(ctx SpecContext) {
		tries := 0
		Expect(proc.Until(ctx, func(context.Context) error {
			if tries++; tries < 3 {
				return errors.New("not yet")
			}
			return nil
		})).To(Succeed())
		Expect(tries).To(Equal(3))
		ending, cancel := context.WithCancelCause(ctx)
		last, why := errors.New("never"), errors.New("enough")
		err := proc.Until(ending, func(context.Context) error { cancel(why); return last })
		Expect(err).To(And(MatchError(why), MatchError(last)))
	})
})

var _ = Describe("A node with an HTTP API", func() {
	It("is sent JSON once, answers exact numbers, and says what it refuses", func(ctx SpecContext) {
		supported()
		GinkgoT().Setenv(notesdVariable, "yes")
		var asked func(method, path string, body, said any) error
		database := notes(self())
		database.Formed = func(_ context.Context, nodes []*proc.Node) error {
			asked = func(method, path string, body, said any) error {
				return nodes[0].SendJSON(ctx, method, path, http.Header{"X-Test": {"1"}}, body, said)
			}
			return nil
		}
		boot(ctx, proc.New(database, proc.Options{}), 1)
		var said struct{ Results []struct{ Rows [][]any } }
		statements := []any{map[string]any{"SQL": "SELECT 9007199254740993", "Returns": true}}
		Expect(asked("POST", "/batch", map[string]any{"Statements": statements}, &said)).To(Succeed())
		Expect(said.Results[0].Rows).To(Equal([][]any{{json.Number("9007199254740993")}}))
		Expect(asked("POST", "/batch", map[string]any{}, nil)).To(Succeed())
		var refused *proc.HTTPError
		Expect(errors.As(asked("POST", "/batch", "no object", nil), &refused)).To(BeTrue())
		Expect(refused.Status).To(Equal(http.StatusBadRequest))
		Expect(refused.Text).To(ContainSubstring("cannot unmarshal"))
	}, patience)
})
