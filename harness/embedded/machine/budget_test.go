package machine_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// edge returns the smallest number of rows for which a statement exceeds the budget.
func edge(n *node, text func(rows int) string) int {
	GinkgoHelper()
	low, high := 1, 1<<20
	for high-low > 1 {
		middle := (low + high) / 2
		if n.do(text(middle)).Err == nil {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

var _ = Describe("The budget", func() {
	const rows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT %d) SELECT count(*) FROM c"

	// The limit is the same for a long-running machine and for one that was just restored from
	// its snapshot.
	DescribeTable("is exceeded at the same row on long-running and on restored machines", func(before string) {
		options := machine.Options{Budget: 300_000}
		old := open(options)
		old.must("CREATE NAMESPACE app; CREATE TABLE app.t (id INTEGER PRIMARY KEY, x)")
		for i := range 60 {
			old.must(fmt.Sprintf("CREATE TABLE app.x%d (a INTEGER PRIMARY KEY, b, c, d CHECK (b > 0 OR c > 0), UNIQUE (b, c))", i))
			old.must("INSERT INTO app.t (x) VALUES (1); DELETE FROM app.t")
		}
		text := func(n int) string { return before + fmt.Sprintf("INSERT INTO app.t (x) "+rows, n) }
		at := edge(old, text)
		snapshot := old.snapshot()
		accepted := 0
		for n := at - 30; n < at+30; n++ {
			restored := open(options)
			restored.restore(snapshot)
			want, got := old.do(text(n)), restored.do(text(n))
			Expect(fmt.Sprint(got.Err)).To(Equal(fmt.Sprint(want.Err)), "%d rows, the edge is at %d", n, at)
			if want.Err == nil {
				accepted++
			}
			Expect(restored.Close()).To(Succeed())
			snapshot = old.snapshot()
		}
		Expect(accepted).To(And(BeNumerically(">", 5), BeNumerically("<", 55)), "the edge is within the range")
	},
		Entry("for one statement", ""),
		Entry("after statements whose names are looked up", strings.Repeat("SELECT 1 FROM app.t LIMIT 0; ", 60)),
		Entry("after a statement with a cached form", "DELETE FROM app.t; "),
	)
})
