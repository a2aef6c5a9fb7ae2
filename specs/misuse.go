package specs

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
)

func misuse(env *environment) {
	Describe("Wrong use", Label("suite:misuse"), func() {
		DescribeTable("of an index that no node has is an error that names the range",
			func(ctx SpecContext, index int) {
				verbs := map[string]func(int) error{
					"Node":              func(i int) error { _, err := env.cluster.Node(i); return err },
					"IsNodeOnline":      func(i int) error { _, err := env.cluster.IsNodeOnline(i); return err },
					"TakeNodeOffline":   func(i int) error { return env.cluster.TakeNodeOffline(ctx, i) },
					"BringNodeOnline":   func(i int) error { return env.cluster.BringNodeOnline(ctx, i) },
					"WaitForNodeOnline": func(i int) error { return env.cluster.WaitForNodeOnline(ctx, i) },
				}
				for verb, use := range verbs {
					err := use(index)
					Expect(err).To(MatchError(fmt.Sprintf("node index %d out of range (0-%d)", index, env.cluster.Size()-1)), verb)
					var typed *harness.IndexError
					Expect(err).To(BeAssignableToTypeOf(typed), verb)
				}
				Expect(env.cluster.OnlineNodes()).To(HaveLen(env.cluster.Size()))
			},
			Entry("below", env.patience, -1),
			Entry("far above", env.patience, 1000),
		)

		It("of taking a node offline twice, or bringing back one that is online, is an error that says so", func(ctx SpecContext) {
			Expect(env.cluster.BringNodeOnline(ctx, 0)).To(MatchError(harness.ErrAlreadyOnline))
			env.leave(ctx, 0)
			Expect(env.cluster.TakeNodeOffline(ctx, 0)).To(And(
				MatchError(harness.ErrAlreadyOffline), MatchError(ContainSubstring("node 0"))))
			Expect(env.cluster.IsNodeOnline(0)).To(BeFalse(), "the error changed the flag")
			env.comeBack(ctx, 0)
			Expect(env.cluster.IsNodeOnline(0)).To(BeTrue())
		}, env.patience)

		It("of waiting for a node that nobody brings back ends with the wait, and explains", func(ctx SpecContext) {
			env.needs(3)
			env.leave(ctx, 1)
			env.patiently(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			err := env.cluster.WaitForNodeOnline(short, 1)
			Expect(err).To(MatchError(context.DeadlineExceeded))
			Expect(err).To(MatchError(And(
				ContainSubstring("node 1"), ContainSubstring("was not brought back"), ContainSubstring("applied index"))))
		}, env.patience)

		It("of SQL is answered with the reason, and loses nothing", func(ctx SpecContext) {
			env.openShop(ctx)
			for _, bad := range []struct{ sql, reason string }{
				{"SELEC 1", "syntax error"},
				{"SELECT * FROM {ns}.no_such_table", "no such table"},
				{"INSERT INTO {ns}.customers (id, name) VALUES (1, 'taken')", "UNIQUE constraint failed"},
				{"ATTACH 'x.db' AS x", "refused"},
				{"PRAGMA journal_mode = DELETE", "refused"},
				{"CREATE TABLE {ns}.copy AS SELECT name FROM pragma_table_list", "order of its rows may differ"},
				{"SELECT load_extension('x')", "refused"},
				{"VACUUM", "refused"},
				{"SELECT * FROM {ns}_nowhere.t", "does not exist"},
				{"INSERT INTO {ns}.customers (id, name) VALUES (?, ?)", "parameters"},
			} {
				_, err := env.cluster.ExecuteOnRandom(ctx, env.sql(bad.sql))
				Expect(err).To(MatchError(ContainSubstring(bad.reason)), bad.sql)
			}
			Expect(env.run(ctx, "PRAGMA foreign_key_check").Rows()).To(BeEmpty(), "a question alone is not refused")
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.customers")))
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.customers")).To(HaveRows(Row(4)))
			for _, node := range env.cluster.Nodes() {
				env.eventually(ctx, node).Should(BeOnline())
			}
		}, env.patience)
	})
}
