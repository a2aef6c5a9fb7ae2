package machine_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

const (
	runaway        = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"
	runawayWriting = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) INSERT INTO t (v) SELECT n FROM r"
)

var _ = Describe("A failure", func() {
	var n *node
	BeforeEach(func() {
		n = open(machine.Options{Budget: 3_000_000, AnswerLimit: 10_000})
		n.must(`CREATE TABLE t (id INTEGER PRIMARY KEY, v UNIQUE, up REFERENCES t(id) DEFERRABLE INITIALLY DEFERRED);
			INSERT INTO t VALUES (1, 'one', NULL);
			CREATE TRIGGER g BEFORE INSERT ON t WHEN new.v = 'thirteen' BEGIN SELECT RAISE(ROLLBACK, 'unlucky'); END`)
	})

	DescribeTable("changes nothing, and the other entries of the batch are applied", func(sql, message string) {
		before := sum(n)
		Expect(n.do("INSERT INTO t (v) VALUES ('first'); CREATE TABLE made (v); " + sql).Err).To(MatchError(ContainSubstring(message)))
		Expect(sum(n)).To(Equal(before))

		responses := n.batch(entries("INSERT INTO t (v) VALUES ('a')", sql, "INSERT INTO t (v) VALUES ('b')", sql, sql,
			"INSERT INTO t (v) VALUES ('c') RETURNING id")...)
		for _, i := range []int{1, 3, 4} {
			Expect(responses[i].Err).To(MatchError(ContainSubstring(message)))
		}
		Expect(responses[5].Results[0].Rows).To(Equal([][]any{{int64(4)}}))
		Expect(n.read("SELECT v FROM t ORDER BY id")).To(Equal([][]any{{"one"}, {"a"}, {"b"}, {"c"}}))
		Expect(n.Failed()).NotTo(HaveOccurred())
		Expect(n.Applied()).To(Equal(n.index))
		Expect(n.digest()).To(HavePrefix("8 "))
	},
		Entry("a syntax error", "SELEC 1", "syntax error"),
		Entry("text that cannot be split", "SELECT 'a", "unterminated string"),
		Entry("an unknown table", "SELECT * FROM nowhere", "no such table: nowhere"),
		Entry("a constraint", "INSERT INTO t (v) VALUES ('two'), ('one')", "UNIQUE constraint failed"),
		Entry("OR FAIL", "INSERT OR FAIL INTO t (v) VALUES ('two'), ('one')", "UNIQUE constraint failed"),
		Entry("OR ROLLBACK", "INSERT OR ROLLBACK INTO t (v) VALUES ('two'), ('one')", "UNIQUE constraint failed"),
		Entry("by RAISE(ROLLBACK)", "INSERT INTO t (v) VALUES ('two'), ('thirteen')", "unlucky"),
		Entry("a deferred foreign key", "INSERT INTO t (v, up) VALUES ('two', 99)", "FOREIGN KEY constraint failed"),
		Entry("an endless read", runaway, "too many steps"),
		Entry("an endless change", runawayWriting, "too many steps"),
		Entry("a huge expression", "SELECT 1"+strings.Repeat("+1", 2000), "Expression tree is too large"),
		Entry("deep nesting", "SELECT "+strings.Repeat("(", 100_000)+"1", "Recursion limit"),
		Entry("a large answer", "SELECT hex(zeroblob(6000))", "the answer is larger than 10000 bytes"),
		Entry("too many rows", "INSERT INTO t (v) SELECT value FROM json_each('["+strings.TrimSuffix(strings.Repeat("null,", 2000),
			",")+"]') RETURNING id",
			"the answer is larger than 10000 bytes"),
		Entry("a large value", "INSERT INTO t (v) VALUES (zeroblob(64 << 20))", "too big"),
		Entry("a large intermediate value", "SELECT length(hex(zeroblob(40 << 20)))", "too big"),
		Entry("a large random value", "SELECT length(randomblob((64 << 20) + 1))", "too big"),
		Entry("a missing parameter", "SELECT ?", "the statements need 1 parameter, 0 were given"),
		Entry("a refused statement", "PRAGMA user_version = 1", "is refused"),
		Entry("an unknown namespace", "DELETE FROM shop.t", `"shop"`),
	)

	It("by the budget leaves the whole budget to the next entry", func() {
		responses := n.batch(entries(runaway,
			"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 40000) SELECT count(*) FROM r", runawayWriting, "SELECT 1")...)
		Expect(responses[0].Err).To(MatchError(sqlite.ErrBudget))
		Expect(responses[1].Results[0].Rows).To(Equal([][]any{{int64(40000)}}))
		Expect(responses[2].Err).To(MatchError(sqlite.ErrBudget))
		Expect(responses[3].Err).NotTo(HaveOccurred())
	})

	It("by the budget counts all statements of an entry together", func() {
		const part = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 20000) SELECT count(*) FROM r;"
		Expect(n.do(part).Err).NotTo(HaveOccurred())
		Expect(n.do(strings.Repeat(part, 6)).Err).To(MatchError(sqlite.ErrBudget))
	})

	It("by the budget can end DROP NAMESPACE", func() {
		n.must("CREATE NAMESPACE big; CREATE TABLE big.t (v); CREATE TRIGGER big.g AFTER DELETE ON t BEGIN SELECT 1; END")
		n.must("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 20000) INSERT INTO big.t SELECT n FROM r")
		n.must("CREATE TABLE far (v REFERENCES \"big.t\"(v)); CREATE UNIQUE INDEX big.i ON t (v)")
		small := open(machine.Options{Budget: 10_000})
		small.restore(n.snapshot())
		Expect(small.do("DROP NAMESPACE big CASCADE").Err).To(MatchError(sqlite.ErrBudget))
		Expect(small.read("SELECT count(*) FROM big.t")).To(Equal([][]any{{int64(20000)}}))
		small.must("SELECT 1")
	})

	It("by the number of parameters counts all statements", func() {
		const three = "SELECT ?; SELECT ?, ?"
		params := []any{int64(1), int64(2), int64(3), int64(4)}
		for _, want := range []*sqlite.ParamCountError{
			{Want: 3, Got: 0},
			{Want: 3, Got: 1},
			{Want: 3, Got: 2},
			{Want: 3, Got: 4},
		} {
			Expect(n.do(three, params[:want.Got]...).Err).To(MatchError(want))
		}
		Expect(n.do("nonsense; SELECT ?").Err).To(MatchError("the statements need 1 parameter, 0 were given"), "nothing was run")
		Expect(n.do("SELECT ?, ?", int64(1)).Err).To(MatchError("the statements need 2 parameters, 1 was given"))
		Expect(n.do("CREATE NAMESPACE x; SELECT ?1, ?3; DROP NAMESPACE x", int64(1), int64(2), int64(3)).Err).NotTo(HaveOccurred())
		Expect(n.do("", int64(1)).Err).NotTo(HaveOccurred(), "a mark")
		Expect(n.do(";;", int64(1)).Err).To(MatchError(&sqlite.ParamCountError{Want: 0, Got: 1}))
	})
})

var _ = Describe("Statements of one entry", func() {
	DescribeTable("are numbered in errors", func(sql, message string) {
		n := open(machine.Options{})
		n.must("CREATE TABLE t (id INTEGER PRIMARY KEY, v NOT NULL)")
		Expect(n.do(sql).Err).To(MatchError(message))
	},
		Entry("one of several", "INSERT INTO t VALUES (1, 1); ; INSERT INTO t VALUES (2, NULL); SELECT 1",
			"statement 2 of 3: NOT NULL constraint failed: t.v"),
		Entry("a statement about namespaces", "SELECT 1; DROP NAMESPACE no", `statement 2 of 2: namespace "no" does not exist`),
		Entry("a refused statement", "VACUUM; SELECT 1",
			"statement 1 of 2: VACUUM is refused: it rewrites the file of one node, and cannot run in a transaction"),
		Entry("but not a single statement", "INSERT INTO t VALUES (2, NULL)", "NOT NULL constraint failed: t.v"),
	)

	It("are one transaction, each with a result", func() {
		n := open(machine.Options{})
		response := n.do(`CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t (v) VALUES (?), (?); UPDATE t SET v = v || ?;
			DELETE FROM t WHERE id = 1 RETURNING v; SELECT count(*) AS n FROM t; -- the end`, "a", "b", "!")
		Expect(response.Err).NotTo(HaveOccurred())
		var affected []int64
		for _, r := range response.Results {
			affected = append(affected, r.Affected)
		}
		Expect(affected).To(Equal([]int64{0, 2, 2, 1, 0}))
		Expect(response.Results[3].Rows).To(Equal([][]any{{"a!"}}))
		Expect(response.Results[4]).To(Equal(machine.Result{Columns: []sqlite.Column{{Name: "n", Type: "INTEGER"}}, Rows: [][]any{{int64(1)}}}))
	})

	It("defer foreign keys that are declared deferred", func() {
		n := open(machine.Options{})
		n.must("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED)")
		n.must("INSERT INTO c VALUES (1); INSERT INTO p VALUES (1)")
		responses := n.batch(entries("DELETE FROM p", "DELETE FROM p; DELETE FROM c", "INSERT INTO c VALUES (2)")...)
		Expect(responses[0].Err).To(MatchError("FOREIGN KEY constraint failed"))
		Expect(responses[1].Err).NotTo(HaveOccurred())
		Expect(responses[2].Err).To(MatchError("FOREIGN KEY constraint failed"))
	})
})
