package specs

import (
	"fmt"
	"math"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func values(env *environment) {
	Describe("Values", Label("suite:values", "needs:sqlite"), func() {
		BeforeEach(func(SpecContext) { env.assumes(target.SQLite) })

		DescribeTable("are stored and returned exactly by every node",
			func(ctx SpecContext, value any) {
				env.run(ctx, "CREATE TABLE {ns}.v (id INTEGER PRIMARY KEY, plain, as_bool BOOLEAN, as_time TIMESTAMP)")
				for i, node := range env.cluster.Nodes() {
					env.runOn(ctx, node, "INSERT INTO {ns}.v (id, plain) VALUES (?, ?)", i, value)
				}
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.v")))
				var rows [][]any
				for range env.cluster.Size() {
					rows = append(rows, Row(value, typeOf(value)))
				}
				Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, env.sql("SELECT plain, typeof(plain) FROM {ns}.v ORDER BY id"))).To(
					HaveRows(rows...))
			},
			EntryDescription("%#v"),
			Entry("NULL", env.patience, nil),
			Entry("zero", env.patience, int64(0)),
			Entry("2^53 + 1", env.patience, int64(1<<53+1)),
			Entry("-(2^53 + 1)", env.patience, int64(-(1<<53+1))),
			Entry("the largest integer", env.patience, int64(math.MaxInt64)),
			Entry("the smallest integer", env.patience, int64(math.MinInt64)),
			Entry("a whole float", env.patience, 1.0),
			Entry("a tenth", env.patience, 0.1),
			Entry("the smallest float", env.patience, math.SmallestNonzeroFloat64),
			Entry("the largest float", env.patience, math.MaxFloat64),
			Entry("infinity", env.patience, math.Inf(1)),
			Entry("empty text", env.patience, ""),
			Entry("text with a zero byte", env.patience, "a\x00b"),
			Entry("text of many scripts", env.patience, "Ünïcödé 林 שלום 👩‍👩‍👧 \u2028 \"quoted\" '\\"),
			Entry("an empty blob", env.patience, []byte{}),
			Entry("a blob of all bytes", env.patience, allBytes()),
			Entry("a long text", env.patience, strings.Repeat("long ", 100_000)),
		)

		It("are kept in columns of another declared type", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.odd (b BOOLEAN, d DATE, t TIMESTAMP)")
			env.run(ctx, "INSERT INTO {ns}.odd VALUES (5, 'not a date', 1234567890123), ('maybe', 20260101, '2026-01-01 00:00:00')")
			Expect(env.run(ctx, "SELECT * FROM {ns}.odd")).To(HaveRows(
				Row(5, "not a date", 1234567890123), Row("maybe", 20260101, "2026-01-01 00:00:00")))
		}, env.patience)

		It("from random or the clock are equal on every node", func(ctx SpecContext) {
			env.assumes(target.SameEverywhere)
			env.run(ctx, `CREATE TABLE {ns}.rolls (id INTEGER PRIMARY KEY, n INTEGER DEFAULT (random()), b BLOB DEFAULT (randomblob(16)),
				at TEXT DEFAULT CURRENT_TIMESTAMP, d TEXT DEFAULT (datetime('now', 'subsec')), j REAL DEFAULT (julianday('now')))`)
			for i := range 30 {
				env.run(ctx, "INSERT INTO {ns}.rolls (id) VALUES (?)", i)
			}
			env.run(ctx, "UPDATE {ns}.rolls SET n = random(), d = strftime('%s %f', 'now') || CURRENT_TIME || date() WHERE id % 2")
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.rolls ORDER BY id")))
			distinct, err := env.run(ctx, "SELECT count(DISTINCT n) FROM {ns}.rolls").Value()
			Expect(err).NotTo(HaveOccurred())
			Expect(distinct).To(BeEquivalentTo(30), "random values repeat")
		}, env.patience)
	})
}

func typeOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case int64:
		return "integer"
	case float64:
		return "real"
	case string:
		return "text"
	case []byte:
		return "blob"
	}
	panic(fmt.Sprintf("%T is not a value of SQL", value))
}

func allBytes() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}
