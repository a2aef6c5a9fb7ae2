package matchers_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// TestRejoin is an ordinary Go test. Its first line is all that Gomega needs.
func TestRejoin(t *testing.T) {
	g := NewWithT(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cluster, err := harness.Boot(ctx, local.New(local.Options{}))
	g.Expect(err).NotTo(HaveOccurred())
	defer cluster.Close()

	g.Expect(cluster).To(HaveLeader())
	g.Expect(cluster.ExecuteOnRandom(ctx, "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)")).Error().To(Succeed())
	g.Expect(cluster.TakeNodeOffline(ctx, 1)).To(Succeed())
	g.Expect(cluster.ExecuteOnRandom(ctx, "INSERT INTO orders VALUES (1, 'tea')")).Error().To(Succeed())
	g.Expect(cluster.Node(1)).NotTo(Or(BeOnline(), HaveCaughtUp()))

	g.Expect(cluster.BringNodeOnline(ctx, 1)).To(Succeed())
	g.Eventually(ctx, cluster.Node).WithArguments(1).Should(And(BeOnline(), HaveCaughtUp()))
	g.Eventually(ctx, cluster).Should(BeConsistent("SELECT * FROM orders ORDER BY id"))
	g.Expect(cluster.ExecuteOnRandom(ctx, "SELECT * FROM orders")).To(HaveRows(Row(1, "tea")))
}

// Outside a test, Gomega is told what a failure does.
func Example() {
	g := NewGomega(func(message string, _ ...int) { panic(message) })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := harness.Boot(ctx, local.New(local.Options{}))
	g.Expect(err).NotTo(HaveOccurred())
	defer cluster.Close()

	g.Expect(cluster).To(HaveLeader())
	g.Expect(cluster.Node(1)).To(BeOnline())
	g.Expect(cluster).To(BeConsistent("SELECT name FROM sqlite_schema"))
	g.Expect(cluster.ExecuteOnAll(ctx, "VALUES (1, 'tea', NULL)")).To(HaveRows(Row(1, ContainSubstring("t"), nil)))

	g.Expect(cluster.TakeNodeOffline(ctx, 1)).To(Succeed())
	g.Expect(cluster.Node(1)).NotTo(BeOnline())
	// Output:
}

// The message of a failure says what was found.
func ExampleHaveRows() {
	g := NewGomega(func(message string, _ ...int) { fmt.Println(message) })
	answer := harness.Result{Node: 0, ID: "n0", Tables: []harness.Table{{
		Columns: []target.Column{{Name: "id"}, {Name: "item"}},
		Rows:    [][]any{{int64(1), "tea"}, {int64(2), nil}},
	}}}
	g.Expect(answer).To(HaveRows(Row(1, "tea"), Row(BeNumerically(">", 1), nil)))
	g.Expect(answer).To(HaveRows(Row(1, "tea")))
	// Output:
	// Expected the rows
	//     1 | "tea"
	// but node 0 (n0) has 2 rows, not 1:
	//     1 | "tea"
	//     2 | NULL
}

// A matcher that cannot ask its actual fails a negated assertion as well.
func ExampleBeOnline() {
	g := NewGomega(func(message string, _ ...int) { fmt.Println(message) })
	g.Expect("node 1").NotTo(BeOnline())
	// Output:
	// a matcher to be online takes a *harness.Node, not a string
}
