package live_test

import (
	"encoding/json"
	"math"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/report/live"
)

var _ = Describe("SQL", Ordered, func() {
	var p *player
	BeforeAll(func(ctx SpecContext) { p = playLocal(ctx) })

	It("is answered with the rows of each statement", func(ctx SpecContext) {
		a := p.sql(ctx, live.Query{SQL: `CREATE NAMESPACE s; CREATE TABLE s.t (id INTEGER PRIMARY KEY, v);
			INSERT INTO s.t (v) VALUES (1.5), (NULL), ('text'), (x'00ff') RETURNING id; SELECT v FROM s.t ORDER BY id`})
		Expect(a.Tables).To(HaveLen(4))
		Expect(a.Tables[2]).To(And(HaveField("Affected", BeEquivalentTo(4)), HaveField("Rows", HaveLen(4))))
		Expect(a.Tables[3]).To(And(HaveField("Columns", []string{"v"}), HaveField("Rows", [][]live.Cell{
			{{Kind: "number", Text: "1.5"}}, {{Kind: "null"}}, {{Kind: "text", Text: "text"}}, {{Kind: "blob", Text: "x'00ff'"}},
		})))
		Expect(a.Took).NotTo(BeEmpty())
	}, patience)

	It("that fails says why, with the code of the database and what became of it", func(ctx SpecContext) {
		a := p.send(ctx, http.MethodPost, "sql", `{"node": 1, "sql": "SELECT * FROM nowhere"}`)
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity), a.body)
		var said live.Refusal
		a.into(&said)
		Expect(said.Error).To(And(HavePrefix("Execute on node 1 (n1): "), ContainSubstring("no such table: nowhere")))
		Expect(said).To(And(HaveField("Code", Not(BeEmpty())), HaveField("Outcome", "not applied")))
	}, patience)

	DescribeTable("that is malformed is refused", func(ctx SpecContext, body string, status int, why string) {
		Expect(p.refused(ctx, "sql", body, status)).To(ContainSubstring(why))
	},
		Entry("without a statement", `{"node": 0}`, http.StatusBadRequest, "There is no statement", patience),
		Entry("to no node", `{"node": 9, "sql": "SELECT 1"}`, http.StatusNotFound, "out of range", patience),
		Entry("with an unknown consistency", `{"node": 0, "sql": "SELECT 1", "consistency": "psychic"}`,
			http.StatusBadRequest, `no consistency "psychic"`, patience),
	)

	It("is sent with the consistency that was chosen, and from inside past every fault", func(ctx SpecContext) {
		Expect(p.cluster.WaitForAllOnline(ctx)).To(Succeed())
		Expect(p.cluster.TakeNodeOffline(ctx, 2, fault.Isolate)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(p.cluster.Heal(ctx)).To(Succeed()) })
		Expect(p.sql(ctx, live.Query{Node: 2, SQL: "SELECT count(*) FROM s.t", Consistency: "local", Inside: true}).Tables[0].Rows[0][0].Text).
			To(Equal("4"))
		a := p.send(ctx, http.MethodPost, "sql", `{"node": 2, "sql": "SELECT 1", "inside": true, "consistency": "strong"}`)
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity), a.body)
		Expect(a.body).To(ContainSubstring(`"outcome":"not applied"`))
	}, patience)

	It("shows the first of many rows", func(ctx SpecContext) {
		a := p.sql(ctx, live.Query{SQL: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n"})
		Expect(a.Tables[0]).To(And(HaveField("Rows", HaveLen(200)), HaveField("More", 800)))
	}, patience)
})

var _ = DescribeTable("A value", func(v any, want live.Cell) { Expect(live.Shown(v)).To(Equal(want)) },
	Entry("that is a large number", int64(math.MaxInt64), live.Cell{Kind: "number", Text: "9223372036854775807"}),
	Entry("that is a fraction", 0.1, live.Cell{Kind: "number", Text: "0.1"}),
	Entry("that is NULL", nil, live.Cell{Kind: "null"}),
	Entry("that is the text NULL", "NULL", live.Cell{Kind: "text", Text: "NULL"}),
	Entry("that is empty bytes", []byte{}, live.Cell{Kind: "blob", Text: "x''"}),
	Entry("that is a long text", strings.Repeat("a", 399)+"éé", live.Cell{Kind: "text", Text: strings.Repeat("a", 399) + "…"}),
	Entry("that is many bytes", make([]byte, 500), live.Cell{Kind: "blob", Text: "x'" + strings.Repeat("00", 400) + "'…"}),
)

func numbers(n ...string) (rows [][]live.Cell) {
	rows = [][]live.Cell{}
	for _, text := range n {
		var row []live.Cell
		for _, t := range strings.Split(text, " ") {
			row = append(row, live.Cell{Kind: "number", Text: t})
		}
		rows = append(rows, row)
	}
	return rows
}

var _ = Describe("Rows side by side", func() {
	DescribeTable("are aligned, and what differs is marked", func(want string, answers ...[][]live.Cell) {
		side := live.Aligned(answers...)
		text, err := json.Marshal(side.Lines)
		Expect(err).NotTo(HaveOccurred())
		short := strings.NewReplacer(`{"k":"number","t":"`, "", `"}`, "", `"rows":`, "", `"wrong":`, "wrong", `"`, "").Replace(string(text))
		Expect(short).To(Equal(want))
	},
		Entry("alike", "[{[[1,5],[1,5]]}]", numbers("1 5"), numbers("1 5")),
		Entry("in another order", "[{[[1,5],[1,5]]},{[[2,6],[2,6]]}]", numbers("1 5", "2 6"), numbers("2 6", "1 5")),
		Entry("sorted as numbers", "[{[[2],[2]]},{[[10],[10]]}]", numbers("10", "2"), numbers("2", "10")),
		Entry("one of three with another value", "[{[[1,5],[1,6],[1,5]],wrong[[],[1],[]]}]", numbers("1 5"), numbers("1 6"), numbers("1 5")),
		Entry("two of two with another value", "[{[[1,5],[1,6]],wrong[[1],[1]]}]", numbers("1 5"), numbers("1 6")),
		Entry("one without a row", "[{[[1,5],null,[1,5]],wrong[[],[],[]]}]", numbers("1 5"), numbers(), numbers("1 5")),
		Entry("one that could not be asked", "[{[[1,5],null,[1,5]]}]", numbers("1 5"), nil, numbers("1 5")),
		Entry("by place if the first column repeats", "[{[[1,5],[1,6]],wrong[[1],[1]]},{[[1,6],[1,5]],wrong[[1],[1]]}]",
			numbers("1 5", "1 6"), numbers("1 6", "1 5")),
		Entry("of no rows", "[]", numbers(), numbers()),
	)

	It("are at most so many, those that differ first, and the others are counted", func() {
		var a, b []string
		for i := range 1000 {
			a = append(a, "1"+strings.Repeat("0", 4)[:3]+string(rune('0'+i/100))+string(rune('0'+i/10%10))+string(rune('0'+i%10))+" 1")
			b = append(b, a[i])
		}
		b[3] += "2"
		side := live.Aligned(numbers(a...), numbers(b...))
		Expect(side).To(And(HaveField("Total", 1000), HaveField("Differ", 1), HaveField("Lines", HaveLen(live.MostListed))))
		Expect(side.Lines[0]).To(And(HaveField("Skipped", 3), HaveField("Wrong", Not(BeNil()))))
		Expect(side.Lines[1].Skipped).To(Equal(1000 - live.MostListed - 3))
	})

	It("are those of every node's own state, whatever keeps it away", func(ctx SpecContext) {
		p := playLocal(ctx)
		p.sql(ctx, live.Query{SQL: "CREATE NAMESPACE r; CREATE TABLE r.t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO r.t VALUES (1, 'one')"})
		Expect(p.cluster.WaitForAllOnline(ctx)).To(Succeed())
		Expect(p.cluster.TakeNodeOffline(ctx, 1, fault.Isolate)).To(Succeed())
		Expect(p.cluster.ExecuteWithRetry(ctx, "INSERT INTO r.t VALUES (2, 'two')")).Error().NotTo(HaveOccurred())
		Expect(p.cluster.WaitForNodeOnline(ctx, 2)).To(Succeed())
		before := p.cluster.Journal().Total()
		side := p.rows(ctx, "SELECT * FROM r.t")
		Expect(p.cluster.Journal().Total()).To(Equal(before), "the journal has the reads")
		Expect(side.Tables).To(Equal([]string{"r.t"}))
		Expect(side.Columns).To(Equal([]string{"id", "v"}))
		Expect(side.Nodes).To(HaveLen(3))
		Expect(side.Nodes[1]).To(And(HaveField("Rows", 1), HaveField("To", BeNumerically("<", side.Nodes[0].To))))
		Expect(side.Lines).To(HaveLen(2))
		Expect(side.Lines[1].Rows[1]).To(BeNil())
		Expect(p.cluster.BringNodeOnline(ctx, 1)).To(Succeed())
		Expect(p.cluster.TakeNodeOffline(ctx, 0, fault.Crash)).To(Succeed())
		Eventually(func() live.Side { return p.rows(ctx, "SELECT * FROM r.t") }).Should(And(HaveField("Differ", 0),
			HaveField("Nodes", ContainElement(HaveField("Error", "The node is crashed")))))
		Expect(p.rows(ctx, "SELECT * FROM nowhere").Nodes).To(HaveEach(HaveField("Error", Not(BeEmpty()))))
		Expect(p.rows(ctx, "").Tables).To(Equal([]string{"r.t"}))
	}, patience)

	DescribeTable("are those of one query", func(ctx SpecContext, sql, why string) {
		p, _ := playFake(ctx)
		body, err := json.Marshal(map[string]string{"sql": sql})
		Expect(err).NotTo(HaveOccurred())
		Expect(p.refused(ctx, "rows", string(body), http.StatusBadRequest)).To(ContainSubstring(why))
	},
		Entry("no change", "DELETE FROM t", "this changes data: DELETE FROM t", patience),
		Entry("no change of the schema", "DROP NAMESPACE a CASCADE", "this changes data", patience),
		Entry("not two", "SELECT 1; SELECT 2", "Only one query", patience),
		Entry("one that ends", "SELECT 'a", "", patience),
	)
})
