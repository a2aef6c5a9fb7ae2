package machine_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

var _ = Describe("A nondeterministic expression", func() {
	const table = "CREATE TABLE t (id INTEGER PRIMARY KEY, v, at DEFAULT CURRENT_TIMESTAMP, r DEFAULT (random()))"

	DescribeTable("has the same value on every machine", func(setUp, sql string) {
		first, second := open(machine.Options{}), open(machine.Options{})
		// The second machine's connection has a different history.
		second.must("CREATE TABLE other (id INTEGER PRIMARY KEY); INSERT INTO other VALUES (77); SELECT random()")
		second.restore(first.snapshot())
		log := logs(0, entries(table, setUp, sql, sql)...)

		var got []string
		for i := range log {
			got = append(got, plain(first.apply(log[i:i+1]))...)
		}
		Expect(first.do("SELECT 1").Err).NotTo(HaveOccurred())
		Expect(plain(second.apply(log))).To(Equal(got))
		second.do("SELECT 1")
		Expect(second.digest()).To(Equal(first.digest()))
		Expect(got).To(HaveEach(HaveSuffix("<nil>")))
	},
		Entry("random()", "", "INSERT INTO t (v) VALUES (random()) RETURNING *"),
		Entry("randomblob()", "", "INSERT INTO t (v) VALUES (randomblob(20)) RETURNING *"),
		Entry("a default", "", "INSERT INTO t (v) VALUES (1) RETURNING *"),
		Entry("a random order", "INSERT INTO t (v) VALUES (1), (2), (3), (4)",
			"INSERT INTO t (v) SELECT v FROM t ORDER BY random() LIMIT 3 RETURNING *"),
		Entry("CURRENT_TIMESTAMP", "", "INSERT INTO t (v) VALUES (CURRENT_TIMESTAMP || CURRENT_DATE || CURRENT_TIME) RETURNING *"),
		Entry("datetime()", "", "INSERT INTO t (v) VALUES (datetime('now') || datetime() || date() || time('now')) RETURNING *"),
		Entry("strftime()", "", "INSERT INTO t (v) VALUES (strftime('%Y-%j %H:%M:%f %s %J')) RETURNING *"),
		Entry("julianday()", "", "INSERT INTO t (v) VALUES (julianday('now')), (julianday()) RETURNING *"),
		Entry("unixepoch()", "", "INSERT INTO t (v) VALUES (unixepoch()), (unixepoch('now', 'subsec')), (unixepoch('subsec')) RETURNING *"),
		Entry("timediff()", "", "INSERT INTO t (v) VALUES (timediff('now', '2000-01-01')) RETURNING *"),
		Entry("a trigger", "CREATE TRIGGER g AFTER INSERT ON t WHEN new.v = 1 BEGIN INSERT INTO t (v) VALUES (random() || datetime('now', "+
			"'subsec')); END",
			"INSERT INTO t (v) VALUES (1)"),
		Entry("a view", "CREATE VIEW w AS SELECT random() AS r, julianday('now') AS j, CURRENT_TIME AS c",
			"INSERT INTO t (v) SELECT r || j || c FROM w RETURNING *"),
		Entry("an upsert", "INSERT INTO t (id) VALUES (1)",
			"INSERT INTO t (id) VALUES (1) ON CONFLICT DO UPDATE SET v = random(), at = datetime('now') RETURNING *"),
		Entry("last_insert_rowid()", "INSERT INTO t (v) VALUES (1), (2)", "INSERT INTO t (v) VALUES (last_insert_rowid()) RETURNING *"),
		Entry("changes()", "INSERT INTO t (v) VALUES (1), (2)", "INSERT INTO t (v) VALUES (changes()) RETURNING *"),
		Entry("root pages of tables", "CREATE TABLE u (v); DROP TABLE t; "+table,
			"INSERT INTO t (v) SELECT rootpage FROM sqlite_schema RETURNING *"),
	)

	It("is derived from the entry", func() {
		n := open(machine.Options{})
		const now = "SELECT datetime('now', 'subsec'), CURRENT_TIMESTAMP, date(), unixepoch('now'), random()"
		first := n.must(now).Rows
		Expect(first[0][:4]).To(Equal([]any{"2023-11-14 22:13:20.123", "2023-11-14 22:13:20", "2023-11-14", int64(1_700_000_000)}))

		By("at the next index: the same time, a different random number")
		second := n.must(now).Rows
		Expect(second[0][:4]).To(Equal(first[0][:4]))
		Expect(second[0][4]).NotTo(Equal(first[0][4]))

		By("at a different time")
		third := n.entry(machine.Entry{SQL: now, Time: 4_102_444_800_001}).Results[0].Rows
		Expect(third[0][:4]).To(Equal([]any{"2100-01-01 00:00:00.001", "2100-01-01 00:00:00", "2100-01-01", int64(4_102_444_800)}))
	})

	It("does not change within an entry", func() {
		n := open(machine.Options{})
		results := n.do("SELECT julianday('now'); WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r LIMIT 100000) SELECT count(*) " +
			"FROM r; SELECT julianday('now')").Results
		Expect(results[2].Rows).To(Equal(results[0].Rows))
	})
})

var _ = Describe("Rowids", func() {
	DescribeTable("are never chosen at random", func(statement string) {
		n := open(machine.Options{})
		n.must("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v); CREATE TABLE u (v); CREATE TABLE w (id INTEGER PRIMARY KEY, v)")
		n.must("INSERT INTO t (v) VALUES (1); INSERT INTO u VALUES (1); INSERT INTO w VALUES (1, 9223372036854775807)")
		before := n.read("SELECT * FROM w, u, t")
		Expect(n.do(statement).Err).To(MatchError(ContainSubstring("9223372036854775807 is refused")))
		Expect(n.read("SELECT * FROM w, u, t")).To(Equal(before))
		Expect(n.must("INSERT INTO t (v) VALUES (2) RETURNING id").Rows).To(Equal([][]any{{int64(2)}}))
		Expect(n.must("INSERT INTO u VALUES (2) RETURNING rowid").Rows).To(Equal([][]any{{int64(2)}}))
		Expect(n.must("INSERT INTO w (v) VALUES (2) RETURNING id").Rows).To(Equal([][]any{{int64(2)}}))
	},
		Entry("after the last one is inserted", "INSERT INTO t VALUES (9223372036854775807, 1)"),
		Entry("... by its hidden name", "INSERT INTO u (oid, v) VALUES (9223372036854775807, 1)"),
		Entry("... from another table", "INSERT INTO w (id) SELECT v FROM w"),
		Entry("... together with the next", "INSERT INTO w (id) VALUES (9223372036854775807), (NULL)"),
		Entry("... with RETURNING", "INSERT INTO w (id) VALUES (9223372036854775807) RETURNING id"),
		Entry("... together with the next of a sequence", "INSERT INTO t (id) VALUES (9223372036854775807), (NULL)"),
		Entry("after a row is moved to it", "UPDATE w SET id = 9223372036854775807"),
		Entry("... by its hidden name", "UPDATE u SET rowid = v + 9223372036854775806"),
		Entry("after a sequence is set to it", "UPDATE sqlite_sequence SET seq = 9223372036854775807"),
		Entry("... as a larger number", "UPDATE sqlite_sequence SET seq = 1e300"),
		Entry("... as text", "INSERT INTO sqlite_sequence VALUES ('w', '9223372036854775807')"),
	)
})
