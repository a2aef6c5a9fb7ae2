package specs

import (
	"context"
	"errors"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// keys are specs about request IDs: a request is applied once, and no other request is taken
// for it.
func keys(env *environment) {
	Describe("A request ID", Label("suite:keys"), func() {
		const insert = "INSERT INTO {ns}.keyed (v) VALUES (?) RETURNING id, v"
		var key string
		var first []any // the row of the first answer

		BeforeEach(func(ctx SpecContext) {
			env.requires(target.Dedup)
			key, first = "key-of-"+env.ns, nil
			env.run(ctx, "CREATE TABLE {ns}.keyed (id INTEGER PRIMARY KEY, v TEXT)")
		})

		// sends sends a request with the ID, for the first time or again.
		sends := func(ctx context.Context, node int, v string) {
			GinkgoHelper()
			result, err := env.keyed(ctx, node, key, insert, v)
			if env.forgets(err) {
				return
			}
			if first == nil {
				Expect(err).NotTo(HaveOccurred())
				first = result.Rows()[0]
				Expect(first).To(HaveExactElements(BeNumerically(">", 0), Equal(v)))
			}
			Expect(result, err).To(HaveRows(first), "a repeated request has the first answer")
		}

		It("names one request, and another with that ID is refused on every node", func(ctx SpecContext) {
			sends(ctx, 0, "first")
			for i := range env.cluster.Size() {
				sends(ctx, i, "first")
				for _, other := range []struct {
					sql  string
					args []any
				}{
					{insert, []any{"second"}},
					{"INSERT INTO {ns}.keyed (v) VALUES ('third')", nil},
					{"DELETE FROM {ns}.keyed", nil},
					{"DROP TABLE {ns}.keyed", nil},
				} {
					_, err := env.keyed(ctx, i, key, other.sql, other.args...)
					Expect(err).To(HaveOccurred(), "%s %v was answered like the first request", other.sql, other.args)
					Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), "%v", err)
				}
			}
			Expect(env.run(ctx, "SELECT v FROM {ns}.keyed")).To(HaveRows(Row("first")))
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.keyed")))
		}, env.patience)

		It("is free again if its request failed", func(ctx SpecContext) {
			_, err := env.keyed(ctx, 0, key, "INSERT INTO {ns}.missing VALUES (1)")
			Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), "%v", err)
			sends(ctx, 0, "second")
		}, env.patience)

		It("is remembered after many requests, even by a node that was away", Label("fault:isolate"), func(ctx SpecContext) {
			env.needs(3)
			sends(ctx, 0, "first")
			victim := env.others(env.leader(ctx))[0]
			env.leave(ctx, victim)
			for i := range 150 {
				env.run(ctx, "INSERT INTO {ns}.keyed (v) VALUES (?)", fmt.Sprint(i))
			}
			env.comeBack(ctx, victim)
			sends(ctx, victim, "first")
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.keyed")).To(HaveRows(Row(151)))
			_, err := env.keyed(ctx, victim, key, insert, "second")
			Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), "%v", err)
		}, env.patience)
	})
}

// forgets tells whether a request failed only because it was applied before, by a database that keeps no answers.
func (env *environment) forgets(err error) bool {
	return !env.holds(target.KeepsAnswers) && errors.Is(err, target.ErrAnswerGone) && target.OutcomeOf(err) == target.Applied
}

// keyed runs a request with an ID, and retries while the error is temporary: a busy machine may
// end a leadership without a fault.
func (env *environment) keyed(ctx context.Context, node int, key, sql string, args ...any) (result harness.Result, err error) {
	GinkgoHelper()
	return env.keyedOn(ctx, env.node(node), key, sql, args...)
}

// keyedOn is keyed for any view of a node.
func (env *environment) keyedOn(ctx context.Context, node *harness.Node, key, sql string, args ...any) (result harness.Result, err error) {
	GinkgoHelper()
	env.eventually(ctx, func() bool {
		var said *target.Error
		result, err = node.ExecuteAs(ctx, key, env.sql(sql), args...)
		return errors.As(err, &said) && said.Temporary
	}).Should(BeFalse(), "%s: %v", sql, err)
	return result, err
}
