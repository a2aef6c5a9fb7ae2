package embedded_test

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

var _ = Describe("A statement about statements or tables", func() {
	var c *cluster
	var s *session
	BeforeEach(func(ctx SpecContext) {
		c = boot(1)
		s = c.session(0)
		s.ok(ctx, "", "CREATE NAMESPACE ns; CREATE TABLE ns.t (id INTEGER PRIMARY KEY, v)")
		Eventually(ctx, c.nodes[0].Health).Should(HaveField("State", embedded.Online), "the entry of the leader's own term is applied")
	})

	DescribeTable("is a read at every consistency, and is not in the log", func(ctx SpecContext, sql string, results int) {
		before := c.nodes[0].Health().CommitIndex
		for _, consistency := range []string{"", "local", "leader", "strong"} {
			a := s.ok(ctx, consistency, sql)
			Expect(a.Results).To(HaveLen(results))
			for _, r := range a.Results {
				Expect(r.Rows).NotTo(BeEmpty())
				Expect(r.Affected).To(BeNil())
			}
		}
		Expect(c.nodes[0].Health().CommitIndex).To(Equal(before))
		Expect(s.ok(ctx, "", "SELECT count(*) FROM ns.t").rows()).To(Equal([][]any{{0.0}}))
	},
		Entry(nil, "EXPLAIN QUERY PLAN UPDATE ns.t SET v = 1 WHERE id = 2", 1),
		Entry(nil, "EXPLAIN INSERT INTO ns.t VALUES (1, 2)", 1),
		Entry(nil, "EXPLAIN CREATE TABLE ns.u AS SELECT * FROM ns.t", 1),
		Entry(nil, "SELECT 1; EXPLAIN DELETE FROM ns.t; EXPLAIN QUERY PLAN SELECT * FROM ns.t; VALUES (2)", 4),
		Entry(nil, "PRAGMA table_info(ns.t)", 1),
		Entry(nil, "SELECT name FROM pragma_table_info('ns.t'); PRAGMA table_list; EXPLAIN PRAGMA ns.table_info(t)", 3),
	)

	DescribeTable("is refused before it is appended to the log", func(ctx SpecContext, sql, code, message string, params ...any) {
		before := c.nodes[0].Health().CommitIndex
		a := s.do(ctx, "", sql, params...)
		Expect(a.HTTP).To(Equal(http.StatusBadRequest), a.Text)
		Expect(a.Error.Code).To(Equal(code))
		Expect(a.Error.Message).To(ContainSubstring(message))
		Expect(c.nodes[0].Health().CommitIndex).To(Equal(before))
	},
		Entry("together with a change", "INSERT INTO ns.t VALUES (1, 1); EXPLAIN QUERY PLAN DELETE FROM ns.t", embedded.CodeRefused,
			"statement 2 of 2: EXPLAIN is refused"),
		Entry("a pragma that changes something", "PRAGMA user_version = 1", embedded.CodeRefused, "PRAGMA user_version is refused"),
		Entry("too few parameters", "SELECT ?; SELECT ?, ?", embedded.CodeParams, "the statements need 3 parameters, 2 were given", 1, 2),
		Entry("no parameters", "SELECT ?; SELECT ?, ?", embedded.CodeParams, "the statements need 3 parameters, 0 were given"),
		Entry("too many parameters", "SELECT ?; SELECT ?, ?", embedded.CodeParams, "the statements need 3 parameters, 4 were given", 1, 2, 3, 4),
		Entry("a change with too few parameters", "INSERT INTO ns.t (v) VALUES (?); INSERT INTO ns.t (v) VALUES (?)", embedded.CodeParams,
			"the statements need 2 parameters, 1 was given", 1),
	)

	It("has its number in the error if it is one of several", func(ctx SpecContext) {
		Expect(s.do(ctx, "", "SELECT 1; SELECT * FROM absent").Error.Message).To(Equal("statement 2 of 2: no such table: absent"))
		Expect(s.do(ctx, "", "INSERT INTO ns.t VALUES (1, 1); INSERT INTO ns.t VALUES (1, 1); SELECT 1").Error.Message).To(
			Equal("statement 2 of 3: UNIQUE constraint failed: ns.t.id"))
		Expect(s.do(ctx, "", "DROP NAMESPACE ns").Error.Message).To(
			Equal(`namespace "ns" is not empty: it holds table ns.t; DROP NAMESPACE ns CASCADE drops them too`))
	})
})
