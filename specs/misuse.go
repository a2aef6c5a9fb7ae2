package specs

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func misuse(env *environment) {
	Describe("Misuse", Label("suite:misuse"), func() {
		DescribeTable("of a node index is an error that names the valid range",
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
			Entry("too small", env.patience, -1),
			Entry("too large", env.patience, 1000),
		)

		It("of the flag of a node is an error that says so", func(ctx SpecContext) {
			Expect(env.cluster.BringNodeOnline(ctx, 0)).To(MatchError(harness.ErrAlreadyOnline))
			env.leave(ctx, 0)
			Expect(env.cluster.TakeNodeOffline(ctx, 0)).To(And(
				MatchError(harness.ErrAlreadyOffline), MatchError(ContainSubstring("node 0"))))
			Expect(env.cluster.IsNodeOnline(0)).To(BeFalse(), "the error changed the flag")
			env.comeBack(ctx, 0)
			Expect(env.cluster.IsNodeOnline(0)).To(BeTrue())
		}, env.patience)

		It("of a wait for an offline node ends at the deadline with a reason", func(ctx SpecContext) {
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

		// answersAll expects each statement to fail with its kind of error, and no harm.
		answersAll := func(ctx context.Context, kinds map[string]error) {
			GinkgoHelper()
			env.openShop(ctx)
			for sql, kind := range kinds {
				_, err := env.cluster.ExecuteOnRandom(ctx, env.sql(sql))
				Expect(err).To(MatchError(kind), sql)
				Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), sql)
			}
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.customers")))
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.customers")).To(HaveRows(Row(4)))
			for _, node := range env.cluster.Nodes() {
				env.eventually(ctx, node).Should(BeOnline())
			}
		}

		It("of SQL is an error of the right kind, without effect", func(ctx SpecContext) {
			answersAll(ctx, map[string]error{
				"SELEC 1":                          target.ErrSyntax,
				"SELECT * FROM {ns}.no_such_table": target.ErrNoSuchTable,
				"SELECT * FROM {ns}_nowhere.t":     target.ErrNoSuchNamespace,
				"CREATE TABLE {ns}.customers (v)":  target.ErrExists,
				"INSERT INTO {ns}.customers (id, name) VALUES (1, 'taken')": target.ErrConstraint,
				"INSERT INTO {ns}.customers (id, name) VALUES (?, ?)":       target.ErrParams,
			})
		}, env.patience)

		It("of statements that act on one node alone is refused", func(ctx SpecContext) {
			env.assumes(target.SQLite, target.RefusesLocal)
			answersAll(ctx, map[string]error{
				"ATTACH 'x.db' AS x":           target.ErrRefused,
				"PRAGMA journal_mode = DELETE": target.ErrRefused,
				"SELECT load_extension('x')":   target.ErrRefused,
				"VACUUM":                       target.ErrRefused,
				"CREATE TABLE {ns}.copy AS SELECT name FROM pragma_table_list": target.ErrRefused,
			})
			Expect(env.run(ctx, "PRAGMA foreign_key_check").Rows()).To(BeEmpty(), "a PRAGMA that only reads is refused")
		}, env.patience)
	})
}
