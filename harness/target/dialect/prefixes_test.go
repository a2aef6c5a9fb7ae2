package dialect_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
)

var _ = Describe("Prefixes", func() {
	// lookup is a database with the namespace ns, in which there is a table.
	lookup := func(_ context.Context, sql string, _ ...any) ([][]any, error) {
		switch {
		case strings.Contains(sql, "rejoin_namespaces WHERE name = 'ns'"):
			return [][]any{{int64(1)}}, nil
		case strings.Contains(sql, "sqlite_schema") && strings.Contains(sql, "'ns.'"):
			return [][]any{{"view", "ns.v"}, {"table", `ns.t"x`}}, nil
		}
		return nil, nil
	}
	say := func(ctx context.Context, sql string) ([]string, error) {
		statements, err := dialect.Prefixes{}.Translate(ctx, target.Request{SQL: sql}, lookup)
		all := make([]string, len(statements))
		for i, s := range statements {
			all[i] = fmt.Sprint(s.SQL, map[bool]string{true: " (hidden)"}[s.Hidden])
		}
		return all, err
	}

	DescribeTable("say a statement",
		func(ctx SpecContext, sql string, want ...string) { Expect(say(ctx, sql)).To(Equal(want)) },
		Entry(nil, "SELECT a FROM ns.t", `SELECT a FROM "ns.t" AS "t"`),
		Entry(nil, "CREATE TABLE ns.u (a)", `CREATE TABLE "ns.u" (a)`),
		Entry(nil, "CREATE NAMESPACE other", `INSERT INTO rejoin_namespaces VALUES ('other')`),
		Entry(nil, "CREATE NAMESPACE other; CREATE TABLE other.t (a)", `INSERT INTO rejoin_namespaces VALUES ('other')`,
			`CREATE TABLE "other.t" (a)`),
		Entry(nil, "CREATE NAMESPACE IF NOT EXISTS ns", `INSERT OR IGNORE INTO rejoin_namespaces VALUES ('ns')`),
		Entry(nil, "DROP NAMESPACE ns CASCADE", `DROP view IF EXISTS "ns.v" (hidden)`, `DROP table IF EXISTS "ns.t""x" (hidden)`,
			`DELETE FROM rejoin_namespaces WHERE name = 'ns'`),
		Entry(nil, "DROP NAMESPACE IF EXISTS other", `DELETE FROM rejoin_namespaces WHERE name = 'other'`),
	)

	DescribeTable("refuse",
		func(ctx SpecContext, sql string, kind error, message string) {
			_, err := say(ctx, sql)
			Expect(err).To(MatchError(kind))
			Expect(err).To(MatchError(ContainSubstring(message)))
			Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		},
		Entry("a namespace that exists", "CREATE NAMESPACE ns", target.ErrExists, "the namespace ns exists"),
		Entry("a namespace that is not empty", "DROP NAMESPACE ns", target.ErrRefused, "is not empty"),
		Entry("a namespace that does not exist", "DROP NAMESPACE other CASCADE", target.ErrNoSuchNamespace, "other does not exist"),
		Entry("a table where there is no namespace", "CREATE TABLE other.t (a)", target.ErrNoSuchNamespace, "other does not exist"),
		Entry("a table in a namespace that was dropped", "DROP NAMESPACE ns CASCADE; CREATE TABLE ns.t (a)", target.ErrNoSuchNamespace,
			"does not exist"),
	)

	It("pass on the error of a lookup", func(ctx SpecContext) {
		broken := errors.New("it is gone")
		_, err := dialect.Prefixes{}.Translate(ctx, target.Request{SQL: "CREATE TABLE ns.t (a)"},
			func(context.Context, string, ...any) ([][]any, error) { return nil, broken })
		Expect(err).To(MatchError(broken))
	})
})

var _ = DescribeTable("The namespace that a request names and that does not exist",
	func(ctx SpecContext, d dialect.Finder, sql, want string) {
		lookup := func(_ context.Context, sql string, _ ...any) ([][]any, error) {
			if strings.HasSuffix(sql, "= 'ns'") {
				return [][]any{{int64(1)}}, nil
			}
			return nil, nil
		}
		Expect(d.Missing(ctx, target.Request{SQL: sql}, lookup)).To(Equal(want))
	},
	Entry("none", dialect.Prefixes{}, "SELECT 1; SELECT * FROM t, ns.t", ""),
	Entry("of a prefix", dialect.Prefixes{}, "SELECT * FROM ns.t, other.t", "other"),
	Entry("of PostgreSQL", dialect.PostgreSQL(), "INSERT INTO ns.t SELECT * FROM other.t", "other"),
	Entry("of MariaDB", dialect.MariaDB(), "CREATE NAMESPACE third; DROP TABLE other.t", "other"),
)
