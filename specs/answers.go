package specs

import (
	"errors"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// answers are specs about an answer's parts besides its rows, and about unusual requests.
func answers(env *environment) {
	Describe("An answer", Label("suite:answers", "needs:sqlite"), func() {
		BeforeEach(func(SpecContext) { env.assumes(target.SQLite) })

		It("reports how many rows each statement changed", func(ctx SpecContext) {
			env.run(ctx, `CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT UNIQUE); CREATE TABLE {ns}.log (v);
				CREATE TABLE {ns}.child (t INTEGER REFERENCES t ON DELETE CASCADE);
				CREATE TRIGGER {ns}.logs AFTER INSERT ON {ns}.t BEGIN INSERT INTO {ns}.log VALUES (1), (2); INSERT INTO {ns}.child VALUES (new.id);
					END`)
			statements := []struct {
				sql      string
				affected int64
			}{
				{"INSERT INTO {ns}.t VALUES (1, 'a'), (2, 'b'), (3, 'c')", 3},
				{"UPDATE {ns}.t SET v = v || 'x' WHERE id < 3", 2},
				{"SELECT count(*) FROM {ns}.t", 0},
				{"CREATE TABLE {ns}.other (v)", 0},
				{"INSERT OR IGNORE INTO {ns}.t VALUES (1, 'again')", 0},
				{"REPLACE INTO {ns}.t VALUES (3, 'z')", 1},
				{"INSERT INTO {ns}.t VALUES (3, 'y') ON CONFLICT (id) DO UPDATE SET v = excluded.v", 1},
				{"INSERT INTO {ns}.t VALUES (3, 'y') ON CONFLICT DO NOTHING", 0},
				{"CREATE INDEX {ns}.by_v ON {ns}.other (v)", 0},
				{"WITH three(n) AS (VALUES (7), (8), (9)) INSERT INTO {ns}.other SELECT n FROM three RETURNING v", 3},
				{"ALTER TABLE {ns}.other RENAME COLUMN v TO w", 0},
				{"DELETE FROM {ns}.t WHERE id = 2", 1},
				{"DROP TABLE {ns}.other", 0},
				{"DELETE FROM {ns}.log", 8},
				{"DELETE FROM {ns}.t WHERE id > 100", 0},
				{"UPDATE {ns}.t SET v = v", 2},
				{"DELETE FROM {ns}.t", 2},
			}
			var all []string
			var affected []int64
			for _, s := range statements {
				all, affected = append(all, s.sql), append(affected, s.affected)
			}
			for i, node := range env.cluster.Nodes() {
				for _, at := range []*harness.Node{node, node.Inside()} {
					answer := env.runOn(ctx, at, strings.Join(all, ";\n"))
					Expect(affectedBy(answer)).To(Equal(affected), "as one request, on %s", node)
					Expect(answer.Affected()).To(BeEquivalentTo(23), "sum over all statements, on %s", node)
					Expect(answer).To(HaveRows(Row(7), Row(8), Row(9)), "rows of the last statement that has some, on %s", node)
				}
				for _, s := range statements {
					if i > 1 {
						break // two nodes, at least one of which is a follower, are enough
					}
					Expect(affectedBy(env.runOn(ctx, node, s.sql))).To(Equal([]int64{s.affected}), "%s, by %s", s.sql, node)
				}
			}

			By("reporting 0 for a change without rows, and no number for a read")
			tells := func(at *harness.Node, sql string, changes bool) {
				GinkgoHelper()
				rows, err := at.Query(ctx, env.sql(sql))
				Expect(err).NotTo(HaveOccurred())
				for rows.NextResult() {
					for rows.Next() {
					}
					affected, known := rows.Affected()
					Expect(known).To(Equal(changes), sql)
					Expect(affected).To(BeZero(), sql)
				}
				Expect(rows.Err()).NotTo(HaveOccurred())
				Expect(rows.Changed()).To(Equal(changes), sql)
				Expect(rows.Close()).To(Succeed())
			}
			for _, node := range env.cluster.Nodes() {
				tells(node, "DELETE FROM {ns}.log; CREATE TABLE IF NOT EXISTS {ns}.log (v); SELECT 1", true)
			}
			for _, at := range env.asked() {
				tells(at, "SELECT * FROM {ns}.log; VALUES (1)", false)
			}
		}, env.patience)

		It("binds parameters by position, number and name, separately for each statement", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.p (a, b, c)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			numbers := make([]any, 120)
			for i := range numbers {
				numbers[i] = i + 1
			}
			for _, c := range []struct {
				values string // of a row
				args   []any
				row    []any
			}{
				{"?, ?, ?", []any{1, "two", nil}, Row(1, "two", nil)},
				{"?2, ?1, ?2", []any{1, 2}, Row(2, 1, 2)},
				{"?3, 0, ''", []any{1, 2, 3}, Row(3, 0, "")},
				{"?10, ?1, ?12", numbers[:12], Row(10, 1, 12)},
				{"?120, ?9, ?90", numbers, Row(120, 9, 90)},
				{":a, @b, :a", []any{1, 2}, Row(1, 2, 1)},
				{"$3, $1, $2", []any{1, 2, 3}, Row(3, 1, 2)},
				{"?2, ?, ?1", []any{1, 2, 3}, Row(2, 3, 1)},
				{"'?', ?, \"?\" -- ?", []any{1}, nil},
				{"'?', ?, ':a' -- ?", []any{1}, Row("?", 1, ":a")},
				{"?, ?, ?", []any{true, false, 2.0}, Row(1, 0, 2.0)},
				{"typeof(?1), typeof(?2), typeof(?3)", []any{1.0, []byte("b"), "1"}, Row("real", "blob", "text")},
			} {
				if c.row == nil { // a quoted name that does not exist is an error
					continue
				}
				for _, at := range env.asked() {
					Expect(env.runOn(ctx, at, "SELECT "+c.values, c.args...)).To(HaveRows(c.row), "%s by %s", c.values, at)
				}
				for _, node := range env.cluster.Nodes() {
					insert := "INSERT INTO {ns}.p SELECT " + c.values + "\nRETURNING a, b, c"
					twice := env.runOn(ctx, node, insert+"; "+insert+"; DELETE FROM {ns}.p", append(c.args[:len(c.args):len(c.args)], c.args...)...)
					for _, table := range twice.Tables[:2] {
						Expect(harness.Result{Tables: []harness.Table{table}}).To(HaveRows(c.row), "%s by %s", c.values, node)
					}
				}
			}
			for _, at := range env.asked() {
				own := env.runOn(ctx, at, "SELECT ?2, ?1; SELECT ?, ?; SELECT 'none'; SELECT :x, :x", 1, 2, 3, 4, 5)
				Expect(exactly(own)).To(Equal([]string{"integer 2, integer 1", "integer 3, integer 4", `text "none"`, "integer 5, integer 5"}))
			}

			By("refusing too few and too many parameters without a change")
			for _, node := range env.cluster.Nodes() {
				for _, sql := range []string{"SELECT ?, ?; SELECT ?", "INSERT INTO {ns}.p (a, b) VALUES (?, ?); INSERT INTO {ns}.p (a) VALUES (?)"} {
					for _, args := range [][]any{{}, {1, 2}, {1, 2, 3, 4}} {
						_, err := node.ExecuteWithRetry(ctx, env.sql(sql), args...)
						Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), "%s with %d parameters: %v", sql, len(args), err)
					}
				}
			}
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.p")).To(HaveRows(Row(0)))
		}, env.patience)

		It("names its columns, even without rows or with equal names", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v VARCHAR(9)); CREATE TABLE {ns}.u (id INTEGER, v REAL)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for _, c := range []struct{ sql, columns string }{
				{"SELECT * FROM {ns}.t", "id INTEGER, v VARCHAR(9)"},
				{"SELECT * FROM {ns}.t JOIN {ns}.u ON 1", "id INTEGER, v VARCHAR(9), id INTEGER, v REAL"},
				{`SELECT 1 AS x, 'two' AS x, x'03' AS "a ""b"" \ Ünï` + "\n" + `c", 4.5 AS "", NULL AS n`,
					`x INTEGER, x TEXT, a "b" \ Ünï` + "\nc BLOB,  REAL, n NULL"},
				{"SELECT id AS x, v AS x, count(*) FROM {ns}.t WHERE 0 GROUP BY 1", "x INTEGER, x VARCHAR(9), count(*) "},
			} {
				for _, at := range env.asked() {
					Expect(columnsOf(env.runOn(ctx, at, c.sql))).To(Equal([]string{c.columns}), "%s by %s", c.sql, at)
				}
			}
			for _, node := range env.cluster.Nodes() {
				Expect(columnsOf(env.runOn(ctx, node,
					`DELETE FROM {ns}.t WHERE id = 5 RETURNING id AS x, v AS x, id AS "y z"; CREATE TABLE IF NOT EXISTS {ns}.t (v);
						SELECT v FROM {ns}.u`))).
					To(Equal([]string{"x INTEGER, x VARCHAR(9), y z INTEGER", "", "v REAL"}), "by %s", node)
			}
		}, env.patience)

		It("says which statement failed, and applies none of them", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY); INSERT INTO {ns}.t VALUES (1)")
			good, bad := "INSERT INTO {ns}.t (id) VALUES (NULL)", "INSERT INTO {ns}.t VALUES (1)"
			for _, node := range env.cluster.Nodes() {
				for _, at := range []*harness.Node{node, node.Inside()} {
					for _, c := range []struct{ sql, where string }{
						{bad, ""}, {bad + ";" + good, "statement 1 of 2: "}, {good + ";" + bad + ";" + good, "statement 2 of 3: "},
						{good + ";" + good + ";" + good + ";" + bad + ";", "statement 4 of 4: "}, {"SELECT 1;" + bad, "statement 2 of 2: "},
						{good + "; CREATE TABLE {ns}.made (v); SELECT * FROM {ns}.missing",
							"statement 3 of 3: "}, {"SELECT 1; SELECT 2; SELECT * FROM {ns}.missing", "statement 3 of 3: "},
						{"SELECT * FROM {ns}.missing; SELECT 2", "statement 1 of 2: "}, {"SELECT * FROM {ns}.missing", ""},
					} {
						_, err := at.ExecuteWithRetry(ctx, env.sql(c.sql))
						said := saidBy(err)
						Expect(said.Outcome).To(Equal(target.NotApplied), "%s: %v", c.sql, err)
						Expect(said.Message).To(MatchRegexp("^"+c.where+"(UNIQUE constraint failed|no such table)"), c.sql)
					}
				}
			}
			Expect(env.cluster.Reading(target.Strong).ExecuteOnAll(ctx, env.sql("SELECT id FROM {ns}.t"))).To(HaveRows(Row(1)))
			Expect(env.run(ctx, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '{ns}.made'")).To(HaveRows(Row(0)))

			env.assumes(target.Streams)
			By("failing in the middle of the rows")
			const half = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) SELECT i, CASE i WHEN 3000 THEN " +
				"abs(-9223372036854775807 - 1) END FROM n"
			for _, at := range env.asked() {
				rows, err := at.Query(ctx, half)
				Expect(err).NotTo(HaveOccurred())
				read := 0
				for rows.NextResult() {
					for rows.Next() {
						read++
					}
				}
				Expect(rows.Err()).To(MatchError(ContainSubstring("integer overflow")), "by %s after %d rows", at, read)
				Expect(read).To(And(BeNumerically(">", 0), BeNumerically("<", 3000)))
				Expect(rows.Close()).To(Succeed())
			}
		}, env.patience)

		It("has one result per statement, whatever separates them", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.t (v)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for _, at := range env.asked() {
				for sql, rows := range map[string][]string{
					"SELECT 1;":      {"integer 1"},
					";; SELECT 1 ;;": {"integer 1"},
					"-- first\nSELECT 1 /* ; SELECT 0 */; -- last":   {"integer 1"},
					"SELECT ';', '--', '/*'; SELECT 2\n;\n":          {`text ";", text "--", text "/*"`, "integer 2"},
					"SELECT 1; SELECT 2; SELECT 3 WHERE 0; SELECT 4": {"integer 1", "integer 2", "", "integer 4"},
				} {
					Expect(exactly(env.runOn(ctx, at, sql))).To(Equal(rows), "%s by %s", sql, at)
				}
				for _, sql := range []string{"", " \n", ";", ";;", "-- nothing", "/* SELECT 1 */;"} {
					_, err := at.Execute(ctx, sql)
					Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), "%q by %s: %v", sql, at, err)
				}
			}
			for _, node := range env.cluster.Nodes() {
				result := env.runOn(ctx, node, "; INSERT INTO {ns}.t VALUES (';'); -- one\n;UPDATE {ns}.t SET v = v RETURNING v;; DELETE FROM {ns}.t;")
				Expect(exactly(result)).To(Equal([]string{"", `text ";"`, ""}))
				Expect(affectedBy(result)).To(Equal([]int64{1, 1, 1}))
			}
		}, env.patience)
	})
}

// asked are all nodes as views: each at Local, and at Leader or Strong in turn.
func (env *environment) asked() (links []*harness.Node) {
	nodes := env.cluster.Nodes()
	for i, node := range nodes {
		links = append(links, node.Reading(target.Local), node.Reading([]target.Consistency{target.Leader, target.Strong}[i%2]))
	}
	return append(links, nodes[len(nodes)-1].Inside().Reading(target.Strong))
}

// affectedBy is how many rows each statement has changed.
func affectedBy(result harness.Result) (affected []int64) {
	for _, table := range result.Tables {
		affected = append(affected, table.Affected)
	}
	return affected
}

// columnsOf are the names and types of the columns of each statement.
func columnsOf(result harness.Result) (columns []string) {
	for _, table := range result.Tables {
		var all []string
		for _, c := range table.Columns {
			all = append(all, c.Name+" "+c.Type)
		}
		columns = append(columns, strings.Join(all, ", "))
	}
	return columns
}

// exactly are the rows of each statement as text. Different values have different texts.
func exactly(result harness.Result) (rows []string) {
	for _, table := range result.Tables {
		var all []string
		for _, row := range table.Rows {
			all = append(all, exactRow(row))
		}
		rows = append(rows, strings.Join(all, "\n"))
	}
	return rows
}

func exactRow(row []any) string {
	var all []string
	for _, value := range row {
		all = append(all, exactValue(value))
	}
	return strings.Join(all, ", ")
}

// saidBy is the target's error in err.
func saidBy(err error) target.Error {
	GinkgoHelper()
	var said *target.Error
	Expect(err).To(HaveOccurred())
	Expect(errors.As(err, &said)).To(BeTrue(), "%v", err)
	return *said
}
