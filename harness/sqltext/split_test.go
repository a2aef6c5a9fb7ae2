package sqltext_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

func texts(statements []sqltext.Statement) []string {
	var all []string
	for _, s := range statements {
		all = append(all, s.Text)
	}
	return all
}

var _ = Describe("Splitting a text", func() {
	DescribeTable("splits at the semicolons that end a statement",
		func(sql string, want ...string) {
			statements, err := sqltext.Split(sql)
			Expect(err).NotTo(HaveOccurred())
			Expect(texts(statements)).To(HaveExactElements(want))
		},
		Entry("nothing", ""),
		Entry("empty statements", " ;; -- a ; b\n ; /* c ; d */ ;"),
		Entry("one statement", "SELECT 1", "SELECT 1"),
		Entry("several", "SELECT 1 ; SELECT 2;\n\tSELECT 3", "SELECT 1", "SELECT 2", "SELECT 3"),
		Entry("comments around a statement", "-- a\nSELECT /* b */ 1 -- c\n; /* d", "SELECT /* b */ 1"),
		Entry("strings", `SELECT 'a;''b;', x'3B'; SELECT ''`, `SELECT 'a;''b;', x'3B'`, `SELECT ''`),
		Entry("quoted identifiers", "SELECT \"a;\"\"\", `b;```, [c;]; SELECT 1", "SELECT \"a;\"\"\", `b;```, [c;]", "SELECT 1"),
		Entry("parameters", "SELECT ?, ?1, :a, @a, $a, $a::b(c;d); SELECT 1", "SELECT ?, ?1, :a, @a, $a, $a::b(c;d)", "SELECT 1"),
		Entry("numbers", "SELECT 1, .5, 1., 1.5e-3, 1e5, 0xFf, 1_000;", "SELECT 1, .5, 1., 1.5e-3, 1e5, 0xFf, 1_000"),
		Entry("operators", `SELECT a->'b'->>'c', 1-1, 1/1, a!=b, a<>b, a||b, ~a;`, `SELECT a->'b'->>'c', 1-1, 1/1, a!=b, a<>b, a||b, ~a`),
		Entry("non-ASCII names", "\uFEFFSELECT é, a$b; SELECT \xff", "SELECT é, a$b", "SELECT \xff"),
		Entry("a transaction", "BEGIN; SELECT 1; END; SELECT 2", "BEGIN", "SELECT 1", "END", "SELECT 2"),
		Entry("a trigger",
			"CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 2; END; SELECT 3",
			"CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 2; END", "SELECT 3"),
		Entry("a trigger with all clauses",
			"explain create temp trigger if not exists a.begin instead of update of begin, "+
				"c on begin for each row when new.begin like begin and case begin when 1 then 2 end begin select 1; end; select 2",
			"explain create temp trigger if not exists a.begin instead of update of begin, "+
				"c on begin for each row when new.begin like begin and case begin when 1 then 2 end begin select 1; end", "select 2"),
		Entry("a trigger with a name BEGIN in its condition",
			"CREATE TRIGGER g AFTER INSERT ON t WHEN new.a NOT LIKE begin OR begin NOT NULL BEGIN SELECT 1; END; SELECT 2",
			"CREATE TRIGGER g AFTER INSERT ON t WHEN new.a NOT LIKE begin OR begin NOT NULL BEGIN SELECT 1; END", "SELECT 2"),
		Entry("a trigger without a body", "CREATE TRIGGER g; SELECT 1; END", "CREATE TRIGGER g", "SELECT 1", "END"),
		Entry("a trigger whose condition ends in a name", "CREATE TRIGGER g AFTER INSERT ON t WHEN left BEGIN SELECT 1; END; SELECT 2",
			"CREATE TRIGGER g AFTER INSERT ON t WHEN left BEGIN SELECT 1; END", "SELECT 2"),
		Entry("a trigger without END", "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; SELECT 2",
			"CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; SELECT 2"),
		Entry("a table that is not a trigger", "CREATE TABLE trigger (a); BEGIN; END", "CREATE TABLE trigger (a)", "BEGIN", "END"),
	)

	DescribeTable("reports invalid tokens with their position",
		func(sql, problem string) {
			_, err := sqltext.Split(sql)
			Expect(err).To(MatchError(problem))
			Expect(err).To(BeAssignableToTypeOf(&sqltext.SyntaxError{}))
		},
		Entry("a string", "SELECT 1;\nSELECT 'é', 'a;\n", "line 2, column 13: unterminated string"),
		Entry("an identifier", "SELECT [a", "line 1, column 8: unterminated quoted identifier"),
		Entry("an identifier in double quotes", "SELECT \"a\"\"", "line 1, column 8: unterminated quoted identifier"),
		Entry("a number", "SELECT 12ab", `line 1, column 8: unrecognised token "12ab"`),
		Entry("a hexadecimal number", "SELECT 0x", `line 1, column 8: unrecognised token "0x"`),
		Entry("a blob", "SELECT x'123'", `line 1, column 8: unrecognised token "x'123'"`),
		Entry("a parameter", "SELECT $", `line 1, column 8: unrecognised token "$"`),
		Entry("an unterminated parameter", "SELECT $a(b c)", `line 1, column 8: unrecognised token "$a("`),
		Entry("an operator", "SELECT ^1", `line 1, column 8: unrecognised token "^"`),
		Entry("half an operator", "SELECT !1", `line 1, column 8: unrecognised token "!"`),
		Entry("a NUL byte", "SELECT \x00", "line 1, column 8: NUL byte in SQL text"),
		Entry("a NUL byte in a string", "SELECT 'a\x00'", "line 1, column 10: NUL byte in SQL text"),
	)
})

var _ = Describe("Statements about namespaces", func() {
	DescribeTable("are recognized",
		func(sql string, want sqltext.Statement) {
			statements, err := sqltext.Split("SELECT 1; " + sql + " ; SELECT 2")
			Expect(err).NotTo(HaveOccurred())
			Expect(statements).To(HaveLen(3))
			got := statements[1]
			Expect(got.Text).To(Equal(sql))
			want.Text = sql
			want.Namespace = "ns"
			Expect(sqltext.Statement{
				Text: got.Text, Kind: got.Kind, Namespace: got.Namespace,
				IfExists: got.IfExists, IfNotExists: got.IfNotExists, Cascade: got.Cascade,
			}).To(Equal(want))
		},
		Entry("create", `CREATE NAMESPACE ns`, sqltext.Statement{Kind: sqltext.CreateNamespace}),
		Entry("create if not exists", `create /* a */ namespace if not exists NS`,
			sqltext.Statement{Kind: sqltext.CreateNamespace, IfNotExists: true}),
		Entry("create, quoted", `CREATE NAMESPACE "Ns"`, sqltext.Statement{Kind: sqltext.CreateNamespace}),
		Entry("drop", "DROP NAMESPACE `ns`", sqltext.Statement{Kind: sqltext.DropNamespace}),
		Entry("drop if exists", `DROP NAMESPACE IF EXISTS [ns]`, sqltext.Statement{Kind: sqltext.DropNamespace, IfExists: true}),
		Entry("drop with RESTRICT, the default", `DROP NAMESPACE ns RESTRICT`, sqltext.Statement{Kind: sqltext.DropNamespace}),
		Entry("drop with CASCADE", `DROP NAMESPACE IF EXISTS ns CASCADE`,
			sqltext.Statement{Kind: sqltext.DropNamespace, IfExists: true, Cascade: true}),
	)

	It("may name a namespace like one of their keywords", func() {
		statements, err := sqltext.Split(`CREATE NAMESPACE if; DROP NAMESPACE cascade CASCADE; DROP NAMESPACE if CASCADE`)
		Expect(err).NotTo(HaveOccurred())
		Expect(statements[0].Namespace).To(Equal("if"))
		Expect(statements[1].Namespace).To(Equal("cascade"))
		Expect(statements[2].Namespace).To(Equal("if"))
	})

	DescribeTable("are rejected if invalid",
		func(sql, problem string) {
			_, err := sqltext.Split(sql)
			Expect(err).To(MatchError(problem))
		},
		Entry("no name", `CREATE NAMESPACE;`,
			"line 1, column 17: expected CREATE NAMESPACE [IF NOT EXISTS] name, found the end of the statement"),
		Entry("a number", `CREATE NAMESPACE 1`, "line 1, column 18: expected CREATE NAMESPACE [IF NOT EXISTS] name, found 1"),
		Entry("a string", `CREATE NAMESPACE 'a'`, "line 1, column 18: expected CREATE NAMESPACE [IF NOT EXISTS] name, found 'a'"),
		Entry("half a condition", `CREATE NAMESPACE IF EXISTS a`,
			"line 1, column 21: expected CREATE NAMESPACE [IF NOT EXISTS] name, found EXISTS"),
		Entry("the wrong condition", `DROP NAMESPACE IF NOT EXISTS a`,
			"line 1, column 19: expected DROP NAMESPACE [IF EXISTS] name [CASCADE | RESTRICT], found NOT"),
		Entry("too much", `CREATE NAMESPACE a CASCADE`,
			"line 1, column 20: expected CREATE NAMESPACE [IF NOT EXISTS] name, found CASCADE"),
		Entry("too much to drop", "SELECT 1;\nDROP NAMESPACE a.b",
			"line 2, column 17: expected DROP NAMESPACE [IF EXISTS] name [CASCADE | RESTRICT], found ."),
		Entry("CASCADE and RESTRICT", "DROP NAMESPACE a CASCADE RESTRICT",
			"line 1, column 26: expected DROP NAMESPACE [IF EXISTS] name [CASCADE | RESTRICT], found RESTRICT"),
		Entry("main", `CREATE NAMESPACE Main`, `line 1, column 18: invalid namespace "main": the name belongs to SQLite`),
		Entry("temp", `DROP NAMESPACE temp`, `line 1, column 16: invalid namespace "temp": the name belongs to SQLite`),
		Entry("SQLite's", `CREATE NAMESPACE sqlite_x`, `line 1, column 18: invalid namespace "sqlite_x": the name belongs to SQLite`),
		Entry("the database's", `CREATE NAMESPACE rejoinx`,
			`line 1, column 18: invalid namespace "rejoinx": names that begin with rejoin belong to the database`),
		Entry("an invalid character", `CREATE NAMESPACE "a b"`,
			`line 1, column 18: invalid namespace "a b": a name has ASCII letters, digits and underscores only, and does not begin with a digit`),
		Entry("a non-ASCII letter", `CREATE NAMESPACE é`,
			`line 1, column 18: invalid namespace "é": a name has ASCII letters, digits and underscores only, and does not begin with a digit`),
		Entry("a digit first", `CREATE NAMESPACE "1a"`,
			`line 1, column 18: invalid namespace "1a": a name has ASCII letters, digits and underscores only, and does not begin with a digit`),
		Entry("an empty name", `CREATE NAMESPACE ""`,
			`line 1, column 18: invalid namespace "": a name has ASCII letters, digits and underscores only, and does not begin with a digit`),
		Entry("too long", `CREATE NAMESPACE `+strings.Repeat("a", 64),
			`line 1, column 18: invalid namespace "`+strings.Repeat("a", 64)+`": a name has at most 63 bytes`),
	)

	It("are not confused with similar statements", func() {
		statements, err := sqltext.Split(`EXPLAIN CREATE NAMESPACE a; CREATE TEMP NAMESPACE a; SELECT namespace; DROP TABLE namespace`)
		Expect(err).NotTo(HaveOccurred())
		Expect(statements).To(HaveEach(HaveField("Kind", sqltext.Other)))
	})
})

var _ = DescribeTable("A query is ordered",
	func(query string, want bool) { Expect(sqltext.Ordered(query)).To(Equal(want)) },
	Entry("by its own ORDER BY", `SELECT 1 order /* a */ by 1`, true),
	Entry("of a compound", `SELECT 1 UNION SELECT 2 ORDER BY 1 LIMIT 1`, true),
	Entry("not without ORDER BY", `SELECT 1 GROUP BY 1`, false),
	Entry("not by that of a subquery", `SELECT * FROM (SELECT 1 ORDER BY 1)`, false),
	Entry("not by that of a window", `SELECT sum(a) OVER (ORDER BY b), group_concat(a ORDER BY b) FROM t`, false),
	Entry("not by text", `SELECT 'ORDER BY', "ORDER BY" -- ORDER BY`, false),
)
