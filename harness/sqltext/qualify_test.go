package sqltext_test

import (
	"errors"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// known knows the namespaces ns, a and b.
func known(namespace string) bool {
	return namespace == "ns" || namespace == "a" || namespace == "b"
}

func qualify(sql string) (string, error) {
	return sqltext.Statement{Text: sql}.Qualify(known)
}

var _ = Describe("Qualifying a statement", func() {
	DescribeTable("rewrites names with a namespace where a table is allowed",
		func(sql, want string) { Expect(qualify(sql)).To(Equal(want)) },

		Entry("FROM", `SELECT * FROM ns.t`, `SELECT * FROM "ns.t" AS "t"`),
		Entry("several tables", `SELECT * FROM ns.t, ns.u JOIN ns.v ON t.i = v.i`,
			`SELECT * FROM "ns.t" AS "t", "ns.u" AS "u" JOIN "ns.v" AS "v" ON t.i = v.i`),
		Entry("tables in parentheses", `SELECT * FROM ((ns.t) LEFT JOIN (ns.u, ns.v) USING (i, j))`,
			`SELECT * FROM (("ns.t" AS "t") LEFT JOIN ("ns.u" AS "u", "ns.v" AS "v") USING (i, j))`),
		Entry("a subquery", `SELECT (SELECT max(i) FROM ns.t) FROM (SELECT 1 FROM ns.u) x`,
			`SELECT (SELECT max(i) FROM "ns.t" AS "t") FROM (SELECT 1 FROM "ns.u" AS "u") x`),
		Entry("a common table expression", `WITH c(i) AS MATERIALIZED (SELECT i FROM ns.t) SELECT * FROM c, ns.u`,
			`WITH c(i) AS MATERIALIZED (SELECT i FROM "ns.t" AS "t") SELECT * FROM c, "ns.u" AS "u"`),
		Entry("an alias", `SELECT x.i FROM ns.t AS x, ns.u y`, `SELECT x.i FROM "ns.t" AS x, "ns.u" y`),
		Entry("an alias that is also a keyword", `SELECT 1 FROM ns.t key, ns.u window`,
			`SELECT 1 FROM "ns.t" key, "ns.u" window`),
		Entry("a clause instead of an alias", `SELECT sum(i) OVER w FROM ns.t WINDOW w AS (ORDER BY i), v AS (w)`,
			`SELECT sum(i) OVER w FROM "ns.t" AS "t" WINDOW w AS (ORDER BY i), v AS (w)`),
		Entry("INDEXED BY", `SELECT * FROM ns.t INDEXED BY i WHERE i = 1`,
			`SELECT * FROM "ns.t" AS "t" INDEXED BY "ns.i" WHERE i = 1`),
		Entry("NOT INDEXED", `SELECT * FROM ns.t NOT INDEXED`, `SELECT * FROM "ns.t" AS "t" NOT INDEXED`),
		Entry("INSERT", `INSERT OR IGNORE INTO ns.t(i) VALUES (1)`, `INSERT OR IGNORE INTO "ns.t" AS "t"(i) VALUES (1)`),
		Entry("REPLACE", `REPLACE INTO ns.t VALUES (1)`, `REPLACE INTO "ns.t" AS "t" VALUES (1)`),
		Entry("an upsert", `INSERT INTO ns.t SELECT * FROM ns.u WHERE true ON CONFLICT (i) DO UPDATE SET j = t.j + excluded.j`,
			`INSERT INTO "ns.t" AS "t" SELECT * FROM "ns.u" AS "u" WHERE true ON CONFLICT (i) DO UPDATE SET j = t.j + excluded.j`),
		Entry("UPDATE", `UPDATE OR REPLACE ns.t SET j = u.j FROM ns.u WHERE t.i = u.i`,
			`UPDATE OR REPLACE "ns.t" AS "t" SET j = u.j FROM "ns.u" AS "u" WHERE t.i = u.i`),
		Entry("DELETE", `DELETE FROM ns.t WHERE i IN ns.u`, `DELETE FROM "ns.t" AS "t" WHERE i IN "ns.u"`),
		Entry("RETURNING, where SQLite ignores aliases", `DELETE FROM ns.t WHERE t.i = 1 RETURNING t.i, ns.t.j`,
			`DELETE FROM "ns.t" AS "t" WHERE t.i = 1 RETURNING "ns.t".i, "ns.t".j`),
		Entry("ANALYZE", `ANALYZE ns.t`, `ANALYZE "ns.t"`),
		Entry("REINDEX", `REINDEX ns.i`, `REINDEX "ns.i"`),
		Entry("DROP", `DROP TABLE IF EXISTS ns.t`, `DROP TABLE IF EXISTS "ns.t"`),
		Entry("DROP of an index", `DROP INDEX ns.i`, `DROP INDEX "ns.i"`),
		Entry("PRAGMA", `PRAGMA table_info(ns.t)`, `PRAGMA table_info("ns.t")`),
		Entry("PRAGMA with =", `PRAGMA index_list = ns.t`, `PRAGMA index_list = "ns.t"`),
		Entry("PRAGMA, as for an attached file", `PRAGMA NS . table_xinfo('t')`, `PRAGMA table_xinfo("ns.t")`),
		Entry("EXPLAIN", `EXPLAIN QUERY PLAN DROP VIEW ns.v`, `EXPLAIN QUERY PLAN DROP VIEW "ns.v"`),
	)

	DescribeTable("rewrites definitions",
		func(sql, want string) { Expect(qualify(sql)).To(Equal(want)) },

		Entry("a table", `CREATE TABLE IF NOT EXISTS ns.t (i CHECK (t.i > 0))`,
			`CREATE TABLE IF NOT EXISTS "ns.t" (i CHECK ("ns.t".i > 0))`),
		Entry("a temporary table", `CREATE TEMP TABLE ns.t (i)`, `CREATE TEMP TABLE "ns.t" (i)`),
		Entry("a virtual table", `CREATE VIRTUAL TABLE ns.t USING fts5(a.b)`, `CREATE VIRTUAL TABLE "ns.t" USING fts5(a.b)`),
		Entry("a table from a query", `CREATE TABLE ns.t AS SELECT t.i FROM a.t`, `CREATE TABLE "ns.t" AS SELECT t.i FROM "a.t" AS "t"`),
		Entry("foreign keys", `CREATE TABLE ns.t (i REFERENCES u(i) ON DELETE SET NULL ON UPDATE CASCADE, FOREIGN KEY (i) REFERENCES a.v)`,
			`CREATE TABLE "ns.t" (i REFERENCES "ns.u"(i) ON DELETE SET NULL ON UPDATE CASCADE, FOREIGN KEY (i) REFERENCES "a.v")`),
		Entry("an index", `CREATE UNIQUE INDEX ns.i ON t (j) WHERE t.j > 0`,
			`CREATE UNIQUE INDEX "ns.i" ON "ns.t" (j) WHERE "ns.t".j > 0`),
		Entry("an index with the namespace on its table", `CREATE INDEX i ON ns.t (j)`, `CREATE INDEX "ns.i" ON "ns.t" (j)`),
		Entry("an index with both", `CREATE INDEX NS.i ON ns.t (j)`, `CREATE INDEX "ns.i" ON "ns.t" (j)`),
		Entry("a view", `CREATE TEMP VIEW ns.v (i) AS SELECT t.i FROM ns.t`,
			`CREATE TEMP VIEW "ns.v" (i) AS SELECT t.i FROM "ns.t" AS "t"`),
		Entry("a trigger",
			`CREATE TRIGGER ns.g AFTER UPDATE OF i ON t WHEN new.i > 0 BEGIN UPDATE ns.u SET n = u.n + 1; DELETE FROM w; END`,
			`CREATE TRIGGER "ns.g" AFTER UPDATE OF i ON "ns.t" WHEN new.i > 0 BEGIN UPDATE "ns.u" SET n = "ns.u".n + 1; DELETE FROM w; END`),
		Entry("a trigger with the namespace on its table",
			`CREATE TRIGGER g AFTER INSERT ON ns.t BEGIN INSERT INTO ns.u SELECT t.i FROM ns.t; END`,
			`CREATE TRIGGER "ns.g" AFTER INSERT ON "ns.t" BEGIN INSERT INTO "ns.u" SELECT t.i FROM "ns.t" AS "t"; END`),
		Entry("a temporary trigger",
			`CREATE TEMP TRIGGER g AFTER INSERT ON ns.t BEGIN SELECT 1; END`,
			`CREATE TEMP TRIGGER g AFTER INSERT ON "ns.t" BEGIN SELECT 1; END`),
		Entry("a new name", `ALTER TABLE ns.t RENAME TO u`, `ALTER TABLE "ns.t" RENAME TO "ns.u"`),
		Entry("a new name with its namespace", `ALTER TABLE ns.t RENAME TO ns.u`, `ALTER TABLE "ns.t" RENAME TO "ns.u"`),
		Entry("a new name of a column", `ALTER TABLE ns.t RENAME i TO j`, `ALTER TABLE "ns.t" RENAME i TO j`),
		Entry("a new column", `ALTER TABLE ns.t ADD COLUMN j REFERENCES u CHECK (t.j > 0)`,
			`ALTER TABLE "ns.t" ADD COLUMN j REFERENCES "ns.u" CHECK ("ns.t".j > 0)`),
	)

	DescribeTable("rewrites columns qualified by their table",
		func(sql, want string) { Expect(qualify(sql)).To(Equal(want)) },

		Entry("by its unqualified name", `SELECT t.i FROM ns.t`, `SELECT t.i FROM "ns.t" AS "t"`),
		Entry("by its full name", `SELECT ns.t.i FROM ns.t WHERE ns.T.i > 0`, `SELECT "t".i FROM "ns.t" AS "t" WHERE "T".i > 0`),
		Entry("all of them", `SELECT t.*, ns.t.* FROM ns.t`, `SELECT t.*, "t".* FROM "ns.t" AS "t"`),
		Entry("by namespace and alias", `SELECT ns.x.i FROM ns.t x`, `SELECT "x".i FROM "ns.t" x`),
		Entry("but not a table name that is also a namespace", `SELECT ns.t FROM a.ns`, `SELECT ns.t FROM "a.ns" AS "ns"`),
		Entry("from a subquery", `SELECT 1 FROM ns.t WHERE EXISTS (SELECT 1 FROM ns.u WHERE u.i = ns.t.i)`,
			`SELECT 1 FROM "ns.t" AS "t" WHERE EXISTS (SELECT 1 FROM "ns.u" AS "u" WHERE u.i = "t".i)`),
		Entry("when two tables have the same name", `SELECT a.t.i, b.t.i FROM a.t, b.t`, `SELECT "a.t".i, "b.t".i FROM "a.t", "b.t"`),
		Entry("when a table of main has the same name", `SELECT main.t.i, ns.t.i FROM main.t JOIN (SELECT t.i FROM ns.t) JOIN ns.t`,
			`SELECT main.t.i, "ns.t".i FROM main.t JOIN (SELECT "ns.t".i FROM "ns.t") JOIN "ns.t"`),
		Entry("when an inner table has the same name", `SELECT t.i FROM a.t WHERE EXISTS (SELECT t.i FROM b.t WHERE b.t.i = a.t.i)`,
			`SELECT "a.t".i FROM "a.t" WHERE EXISTS (SELECT "b.t".i FROM "b.t" WHERE "b.t".i = "a.t".i)`),
		Entry("in each part of a compound", `SELECT t.i FROM a.t UNION SELECT t.i FROM b.t ORDER BY 1`,
			`SELECT "a.t".i FROM "a.t" UNION SELECT "b.t".i FROM "b.t" ORDER BY 1`),
		Entry("when an alias has the same name", `SELECT a.t.i, b.t.i FROM a.t, b.u AS t`, `SELECT "a.t".i, "b.t".i FROM "a.t", "b.u" AS "b.t"`),
		Entry("when two aliases are the same", `SELECT a.x.i, b.x.i FROM a.[t][x], b.t x`,
			`SELECT "a.x".i, "b.x".i FROM "a.t" "a.x", "b.t" "b.x"`),
	)

	DescribeTable("quotes names so that their meaning is unchanged",
		func(sql, want string) { Expect(qualify(sql)).To(Equal(want)) },

		Entry("quoted", "SELECT * FROM \"ns\".\"a \"\"b\"\" c\", [ns].[x y], `ns`.`x``y`, 'ns'.'x''y'",
			`SELECT * FROM "ns.a ""b"" c" AS "a ""b"" c", "ns.x y" AS "x y", "ns.x`+"`"+`y" AS "x`+"`"+`y", "ns.x'y" AS "x'y"`),
		Entry("in different case", `SELECT NS.T.i FROM Ns.T`, `SELECT "T".i FROM "ns.T" AS "T"`),
		Entry("with comments between", "SELECT * FROM ns /* c */ . -- d\n t", `SELECT * FROM "ns.t" AS "t"`),
		Entry("beside other quotes", `SELECT x.i FROM ns.t"x"`, `SELECT x.i FROM "ns.t" "x"`),
		Entry("that are keywords", `SELECT left.key FROM ns.left`, `SELECT left.key FROM "ns.left" AS "left"`),
	)

	DescribeTable("leaves other text unchanged", func(sql string) { Expect(qualify(sql)).To(Equal(sql)) },

		Entry("main and temp", `SELECT main.t.i, temp.u.i FROM main.t, Temp.u`),
		Entry("columns and their tables", `SELECT t.i, ns.i FROM t, ns WHERE t.i IS NOT DISTINCT FROM ns.i`),
		Entry("table-valued functions", `SELECT * FROM ns.f(1), b.g((SELECT 1)) AS g WHERE 1 IN ns.f(2)`),
		Entry("strings, numbers and comments", `SELECT 'FROM ns.t', 1.5, .5, 1.e3 -- FROM ns.t`),
		Entry("identifiers with a dot", `SELECT * FROM "ns.t"`),
		Entry("pragmas without a table", `PRAGMA ns.user_version`),
		Entry("pragmas of main", `PRAGMA main.table_info(t)`),
		Entry("parameters of other kinds", `SELECT ?, ?2, :a, @a, $a, $1a, $1::b`),
	)

	It("binds numbered parameters by their number", func() {
		Expect(qualify(`SELECT $2, $1, '$1' FROM ns.t WHERE i=$1`)).To(Equal(`SELECT ?2, ?1, '$1' FROM "ns.t" AS "t" WHERE i=?1`))
	})

	DescribeTable("rejects statements that it cannot rewrite",
		func(sql, problem string) {
			_, err := qualify(sql)
			Expect(err).To(MatchError(problem))
		},
		Entry("an unknown namespace", `SELECT * FROM X.t`, `namespace "x" does not exist`),
		Entry("an unknown namespace of a column", `SELECT x.t.i FROM ns.t`, `namespace "x" does not exist`),
		Entry("an index in a different namespace than its table", `CREATE INDEX a.i ON b.t (j)`, `a.i and b.t must be in one namespace`),
		Entry("a rename to a different namespace", `ALTER TABLE ns.t RENAME TO a.t`, `a.t and ns.t must be in one namespace`),
		Entry("a rename out of main", `ALTER TABLE t RENAME TO ns.t`, `ns.t and main.t must be in one namespace`),
		Entry("an ambiguous table", `SELECT t.i FROM t, ns.t`, `table name t is ambiguous: qualify it with its namespace`),
		Entry("more tables than SQLite joins", `SELECT * FROM ns.t`+strings.Repeat(`, ns.t`, 200), `more than 200 tables in one FROM clause`),
		Entry("a pragma with two namespaces", `PRAGMA ns.table_info(a.t)`,
			`PRAGMA ns.table_info(a.t) names two namespaces: write PRAGMA table_info(a.t)`),
		Entry("a pragma with an unknown namespace", `PRAGMA table_info(x.t)`, `namespace "x" does not exist`),
		Entry("endless parentheses", `SELECT a.b`+strings.Repeat(`(`, 1<<20), `more than 1000 nested parentheses`),
		Entry("invalid text", `SELECT a.b, 'x`, `line 1, column 13: unterminated string`),
	)

	It("returns a typed error for an unknown namespace", func() {
		_, err := qualify(`DROP TABLE "No Such".t`)
		var unknown *sqltext.UnknownNamespaceError
		Expect(errors.As(err, &unknown)).To(BeTrue())
		Expect(unknown.Namespace).To(Equal("no such"))
	})
})

var _ = Describe("Rewriting a statement", func() {
	// rewrite returns the name that the statement defines and the names that are checked.
	rewrite := func(sql string) (defines sqltext.Name, asked []sqltext.Name) {
		GinkgoHelper()
		qualified, err := sqltext.Statement{Text: sql}.Rewrite(func(name sqltext.Name) error {
			asked = append(asked, name)
			return nil
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(qualify(sql)).To(Equal(qualified.SQL))
		return qualified.Defines, asked
	}

	DescribeTable("reports the defined object",
		func(sql string, want sqltext.Name) {
			defines, asked := rewrite(sql)
			Expect(defines).To(Equal(want))
			Expect(asked).To(ContainElement(want))
		},
		Entry(nil, `CREATE TABLE NS."T.x" (i)`, sqltext.Name{Namespace: "ns", Name: "T.x"}),
		Entry(nil, `CREATE TABLE IF NOT EXISTS ns.t AS SELECT * FROM a.t`, sqltext.Name{Namespace: "ns", Name: "t"}),
		Entry(nil, `CREATE VIEW ns.v AS SELECT * FROM b.v`, sqltext.Name{Namespace: "ns", Name: "v"}),
		Entry(nil, `CREATE UNIQUE INDEX i ON ns.t (i)`, sqltext.Name{Namespace: "ns", Name: "i"}),
		Entry(nil, `CREATE TRIGGER ns.g AFTER INSERT ON t BEGIN INSERT INTO a.t VALUES (1); END`,
			sqltext.Name{Namespace: "ns", Name: "g", Trigger: true}),
		Entry(nil, `ALTER TABLE ns.t RENAME TO u`, sqltext.Name{Namespace: "ns", Name: "u"}),
	)

	DescribeTable("defines nothing in a namespace", func(sql string) {
		defines, _ := rewrite(sql)
		Expect(defines).To(BeZero())
	},
		Entry(nil, `CREATE TABLE t (i REFERENCES ns.t)`),
		Entry(nil, `CREATE TABLE "ns.t" (i)`),
		Entry(nil, `CREATE VIEW main.v AS SELECT * FROM ns.t`),
		Entry(nil, `ALTER TABLE ns.t RENAME i TO j`),
		Entry(nil, `ALTER TABLE ns.t ADD COLUMN j`),
		Entry(nil, `DROP TABLE ns.t`),
		Entry(nil, `INSERT INTO ns.t VALUES (1)`),
	)

	It("marks the names of triggers", func() {
		_, asked := rewrite(`DROP TRIGGER IF EXISTS ns.T`)
		Expect(asked).To(Equal([]sqltext.Name{{Namespace: "ns", Name: "T", Trigger: true}}))
		Expect(asked[0].Key()).To(Equal("ns.t"))
	})

	It("returns the first error of check", func() {
		refused := errors.New("refused")
		_, err := sqltext.Statement{Text: `SELECT * FROM ns.t, a.u`}.Rewrite(func(name sqltext.Name) error {
			if name.Name == "u" {
				return refused
			}
			return nil
		})
		Expect(err).To(BeIdenticalTo(refused))
	})
})
