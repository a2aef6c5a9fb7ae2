package specs

import (
	"fmt"
	"math"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// answersAltered are specs about answers that depend on history: a changed schema, a request
// that is sent again, and requests that are applied in one batch.
func answersAltered(env *environment) {
	Describe("The columns of an answer", Label("suite:answers-altered", "needs:sqlite"), func() {
		BeforeEach(func(SpecContext) { env.assumes(target.SQLite) })

		It("follow the current schema, even on connections that knew another", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO {ns}.t VALUES (1, 'one'); CREATE VIEW {ns}.w AS "+
				"SELECT a FROM {ns}.t")
			// shows asks every node at every consistency, on several connections at once.
			shows := func(sql, columns, rows string) {
				GinkgoHelper()
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				for _, at := range env.asked() {
					atOneTime(2, func(int) {
						answer := env.runOn(ctx, at, sql)
						Expect(columnsOf(answer)).To(Equal([]string{columns}), "%s by %s", sql, at)
						Expect(exactly(answer)).To(Equal([]string{rows}), "%s by %s", sql, at)
					})
				}
			}
			shown := func(columns, rows string) {
				GinkgoHelper()
				shows("SELECT * FROM {ns}.t", columns, rows)
			}
			gone := func(sql string) {
				GinkgoHelper()
				for _, at := range env.asked() {
					_, err := at.ExecuteWithRetry(ctx, env.sql(sql))
					Expect(saidBy(err).Message).To(ContainSubstring("no such"), "%s by %s", sql, at)
				}
			}
			shown("id INTEGER, a TEXT", `integer 1, text "one"`)
			shows("SELECT a FROM {ns}.t", "a TEXT", `text "one"`)
			shows("SELECT * FROM {ns}.w", "a TEXT", `text "one"`)

			env.run(ctx, "ALTER TABLE {ns}.t RENAME COLUMN a TO b")
			shown("id INTEGER, b TEXT", `integer 1, text "one"`)
			gone("SELECT {ns}.t.a FROM {ns}.t")
			env.run(ctx, "ALTER TABLE {ns}.t ADD COLUMN c REAL NOT NULL DEFAULT 2")
			shown("id INTEGER, b TEXT, c REAL", `integer 1, text "one", `+exactValue(2.0))
			env.run(ctx, "DROP VIEW {ns}.w; ALTER TABLE {ns}.t DROP COLUMN b; CREATE VIEW {ns}.w AS SELECT id AS a, c FROM {ns}.t")
			shown("id INTEGER, c REAL", "integer 1, "+exactValue(2.0))
			shows("SELECT * FROM {ns}.w", "a INTEGER, c REAL", "integer 1, "+exactValue(2.0))
			env.run(ctx, "DROP VIEW {ns}.w; DROP TABLE {ns}.t; CREATE TABLE {ns}.t (c BLOB, id TEXT); INSERT INTO {ns}.t VALUES (x'00', 'other')")
			shown("c BLOB, id TEXT", `blob 00, text "other"`)
			env.run(ctx, "ALTER TABLE {ns}.t RENAME TO u")
			gone("SELECT * FROM {ns}.t")
			shows("SELECT * FROM {ns}.u", "c BLOB, id TEXT", `blob 00, text "other"`)
			for _, node := range env.cluster.Nodes() {
				Expect(columnsOf(env.runOn(ctx, node, "UPDATE {ns}.u SET id = id RETURNING *"))).To(Equal([]string{"c BLOB, id TEXT"}))
			}
		}, env.patience)

		It("do not change while an answer is read, whatever happens to the table", func(ctx SpecContext) {
			env.assumes(target.Streams)
			const rows = 5000
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, a TEXT)")
			env.run(ctx, "INSERT INTO {ns}.t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i, "+
				"printf('%.100c', 'x') FROM n", rows)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			var open []target.Rows
			for _, node := range env.cluster.Nodes() {
				answer, err := node.Reading(target.Local).Query(ctx, env.sql("SELECT * FROM {ns}.t ORDER BY id"))
				Expect(err).NotTo(HaveOccurred())
				defer func() { _ = answer.Close() }()
				Expect(answer.NextResult() && answer.Next()).To(BeTrue())
				open = append(open, answer)
			}
			env.run(ctx, "ALTER TABLE {ns}.t RENAME COLUMN a TO b; DELETE FROM {ns}.t WHERE id % 2; ALTER TABLE {ns}.t ADD COLUMN c DEFAULT 3")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for _, answer := range open {
				Expect(answer.Columns()).To(Equal([]target.Column{{Name: "id", Type: "INTEGER"}, {Name: "a", Type: "TEXT"}}))
				read := 1
				for answer.Next() {
					read++
				}
				Expect(answer.Err()).NotTo(HaveOccurred())
				Expect(read).To(Equal(rows))
			}
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
		}, env.patience)
	})

	Describe("The answer to a repeated request", Label("suite:answers-altered", "needs:sqlite"), func() {
		BeforeEach(func(SpecContext) { env.assumes(target.SQLite) })

		It("is identical to the first one on every node", func(ctx SpecContext) {
			env.requires(target.Dedup)
			env.assumes(target.KeepsAnswers)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY AUTOINCREMENT, v VARCHAR(7), b BLOB, f REAL)")
			requests := []struct {
				sql  string
				args []any
			}{
				{"INSERT INTO {ns}.t (v, b, f) VALUES (?, ?, ?) RETURNING *, v AS id, NULL AS n, x'00' AS \"x y\"", []any{"a\x00b", []byte{}, 1.0}},
				{"INSERT INTO {ns}.t (v, b, f) VALUES ('', ?, ?), (?, x'', NULL) RETURNING v, b, f; UPDATE {ns}.t SET f = -f RETURNING id, f; " +
					"SELECT count(*) AS c FROM {ns}.t", []any{[]byte("text"), 1e300, "\xff"}},
				{"UPDATE {ns}.t SET v = v || 'x' WHERE f IS NULL; DELETE FROM {ns}.t WHERE id = 1; SELECT id FROM {ns}.t WHERE 0", nil},
				{"CREATE TABLE {ns}.made (v); DELETE FROM {ns}.t WHERE id < 0 RETURNING id, f", nil},
				{"UPDATE {ns}.t SET v = v RETURNING ? AS minus, ? AS most, ? AS least, ? AS tiny",
					[]any{math.Inf(-1), int64(1<<63 - 1), int64(-1 << 63), 5e-324}},
			}
			// around the size above which answers are stored differently
			for _, size := range []int{60, 70, 75, 80, 85, 90, 95, 100, 120, 5000, 65_000} {
				requests = append(requests, struct {
					sql  string
					args []any
				}{"INSERT INTO {ns}.t (v) VALUES ('long') RETURNING CAST(? AS TEXT) AS s", []any{strings.Repeat("s", size)}})
			}
			var first []harness.Result
			nodes := env.cluster.Nodes()
			key := func(i int) string { return fmt.Sprint("again-", env.ns, "-", i) }
			for i, r := range requests {
				answer, err := env.keyedOn(ctx, nodes[i%len(nodes)], key(i), r.sql, r.args...)
				Expect(err).NotTo(HaveOccurred(), r.sql)
				first = append(first, answer)
			}
			const state = "SELECT * FROM {ns}.t ORDER BY id"
			before := exactly(env.run(ctx, state))
			for _, node := range nodes {
				for i, r := range requests {
					again, err := env.keyedOn(ctx, node, key(i), r.sql, r.args...)
					Expect(err).NotTo(HaveOccurred(), "%s by %s", r.sql, node)
					Expect(columnsOf(again)).To(Equal(columnsOf(first[i])), "%s by %s", r.sql, node)
					Expect(exactly(again)).To(Equal(exactly(first[i])), "%s by %s", r.sql, node)
					Expect(affectedBy(again)).To(Equal(affectedBy(first[i])), "%s by %s", r.sql, node)
				}
			}
			const head = "s\x00\x00\x00\x00\x00\x00\x00\x00" // of a text, in the encoding of a request
			others := [][]any{{1.0, "ab"}, {"1", "ab"}, {[]byte("1"), "ab"}, {1, []byte("ab")}, {"1a", "b"}, {nil, "ab"}, {1, "ab\x00"}}
			const two = "UPDATE {ns}.t SET v = v WHERE ? IS NOT ?"
			_, err := env.keyedOn(ctx, nodes[0], key(-1), two, 1, "ab")
			Expect(err).NotTo(HaveOccurred())
			for i, other := range others {
				_, err := env.keyedOn(ctx, nodes[i%len(nodes)], key(-1), two, other...)
				Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), "%v is taken for the first request: %v", other, err)
			}
			_, err = env.keyedOn(ctx, nodes[0], key(-2), two, "x"+head+"y", "z")
			Expect(err).NotTo(HaveOccurred())
			_, err = env.keyedOn(ctx, nodes[0], key(-2), two, "x", "y"+head+"z")
			Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), "texts split at another place are taken for the same: %v", err)
			Expect(exactly(env.run(ctx, state))).To(Equal(before), "a request was applied again")
		}, env.patience)
	})

	Describe("What a request reads about itself", Label("suite:answers-together", "fault:isolate", "fault:crash", "needs:sqlite"), func() {
		BeforeEach(func(SpecContext) { env.assumes(target.SQLite) })

		It("is independent of requests batched with it, live or during catch-up", func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Crash)
			env.run(ctx, `CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY AUTOINCREMENT, request INTEGER, v UNIQUE);
				CREATE TABLE {ns}.told (request INTEGER PRIMARY KEY, rowid_before, changes_before, rowid_after, changes_after, luck, at)`)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			leader := env.leader(ctx)
			absent, crashed := env.others(leader)[0], env.others(leader)[1]
			const told = `INSERT INTO {ns}.told VALUES (?1, last_insert_rowid(), changes(), NULL, NULL, random(), unixepoch('subsec'))`
			const rows = `INSERT INTO {ns}.t (request, v) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) SELECT ?1,
				?1 || '-' || i FROM n`
			const after = `UPDATE {ns}.told SET rowid_after = last_insert_rowid(),
				changes_after = changes() WHERE request = ?1 RETURNING rowid_after, changes_after`
			together := func(from int) {
				GinkgoHelper()
				atOneTime(24, func(i int) {
					request := from + i
					switch many := request%3 + 1; {
					case request%8 == 5: // it fails, and must not affect those behind it
						_, err := env.node(leader).Inside().Execute(ctx,
							env.sql("INSERT INTO {ns}.t (request) VALUES (1), (2), (3), (4); SELECT * FROM {ns}.missing"))
						Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), "%v", err)
					case request%8 == 6: // it changes nothing after its first statement
						env.runOn(ctx, env.node(leader).Inside(), told, request)
					default:
						answer := env.runOn(ctx, env.node(leader).Inside(), told+";"+rows+";"+after, request, request, many, request)
						Expect(answer.Rows()[0][1]).To(BeEquivalentTo(many), "it reads the change count of another request")
						Expect(affectedBy(answer)).To(Equal([]int64{1, int64(many), 1}))
					}
				})
			}
			together(0)
			env.leave(ctx, absent)
			together(100)
			env.leave(ctx, crashed, fault.Crash)
			env.comeBack(ctx, absent)
			together(200)
			env.comeBack(ctx, crashed)
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.told ORDER BY request"), env.sql("SELECT * FROM {ns}.t ORDER BY id")))
			Expect(env.run(ctx, "SELECT count(*), count(DISTINCT rowid_before), count(DISTINCT changes_before), count(DISTINCT luck) FROM "+
				"{ns}.told")).
				To(HaveRows(Row(63, 1, 1, 63)), "a request reads connection state that an earlier one left")
			Expect(env.run(ctx, `SELECT count(*) FROM {ns}.told WHERE rowid_after IS NOT (SELECT max(id) FROM {ns}.t WHERE t.request = told.request)
				OR changes_after IS NOT (SELECT count(*) FROM {ns}.t WHERE t.request = told.request) AND changes_after IS NOT NULL`)).
				To(HaveRows(Row(0)), "a request reads the row ID or change count of another")
			_, err := env.cluster.ExecuteOnRandom(ctx, env.sql("INSERT INTO {ns}.t (request) VALUES (total_changes())"))
			Expect(saidBy(err).Message).To(ContainSubstring("total_changes() is refused"))
		}, env.patience)
	})
}
