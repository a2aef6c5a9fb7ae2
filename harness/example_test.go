package harness_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/target"
)

// A node goes away, the data changes, the node comes back.
func ExampleCluster() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := harness.Boot(ctx, local.New(local.Options{}), harness.Size(3))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	run := func(sql string, args ...any) {
		if _, err := cluster.ExecuteOnRandom(ctx, sql, args...); err != nil {
			log.Fatal(err)
		}
	}
	run("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)")
	run("INSERT INTO orders VALUES (?, ?)", 1, "tea")

	if err := cluster.TakeNodeOffline(ctx, 1); err != nil {
		log.Fatal(err)
	}
	fmt.Println("online without it:", cluster.OnlineNodes())
	run("INSERT INTO orders VALUES (?, ?)", 2, "milk") // on one of the others

	if err := cluster.BringNodeOnline(ctx, 1); err != nil { // returns at once
		log.Fatal(err)
	}
	if err := cluster.WaitForNodeOnline(ctx, 1); err != nil { // until it has caught up
		log.Fatal(err)
	}
	fmt.Println("online again:", cluster.OnlineNodes())
	fmt.Println("difference:", cluster.VerifyDataConsistency(ctx, "SELECT * FROM orders ORDER BY id"))
	// Output:
	// online without it: [node 0 (n0) node 2 (n2)]
	// online again: [node 0 (n0) node 1 (n1) node 2 (n2)]
	// difference: <nil>
}

// Only online nodes are compared, each by its own state.
func ExampleCluster_VerifyDataConsistency() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := harness.Boot(ctx, local.New(local.Options{}), harness.Size(1))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	fmt.Println(cluster.VerifyDataConsistency(ctx, "SELECT ? + 1", 41))

	// A statement that cannot be compared is an error, but not an *InconsistencyError.
	err = cluster.VerifyDataConsistency(ctx, "DELETE FROM orders")
	var difference *harness.InconsistencyError
	fmt.Println(errors.As(err, &difference), err)

	if err := cluster.TakeNodeOffline(ctx, 0); err != nil {
		log.Fatal(err)
	}
	fmt.Println(cluster.VerifyDataConsistency(ctx, "SELECT 1"))
	// Output:
	// <nil>
	// false only the answers to a query can be compared, and this changes data: DELETE FROM orders
	// no online nodes available in cluster
}

// All online nodes are asked in parallel; the results are in the order of the nodes.
func ExampleCluster_ExecuteOnAll() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := harness.Boot(ctx, local.New(local.Options{}), harness.Size(3))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	results, err := cluster.ExecuteOnAll(ctx, "VALUES (1, 'one'), (2, NULL)")
	if err != nil {
		log.Fatal(err) // names each node that failed; the others' results are there
	}
	for _, result := range results {
		fmt.Println(result.ID, result.Rows())
	}
	// Output:
	// n0 [[1 one] [2 <nil>]]
	// n1 [[1 one] [2 <nil>]]
	// n2 [[1 one] [2 <nil>]]
}

// A node that is isolated runs on alone. Inside shows what data it has.
func ExampleNode_Inside() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := harness.Boot(ctx, local.New(local.Options{}), harness.Size(3))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	if _, err := cluster.ExecuteOnRandom(ctx, "CREATE TABLE orders (id INTEGER PRIMARY KEY)"); err != nil {
		log.Fatal(err)
	}
	if err := cluster.WaitForAllOnline(ctx); err != nil {
		log.Fatal(err)
	}
	if err := cluster.TakeNodeOffline(ctx, 1); err != nil {
		log.Fatal(err)
	}
	if _, err := cluster.ExecuteOnRandom(ctx, "INSERT INTO orders VALUES (1)"); err != nil {
		log.Fatal(err)
	}

	node, err := cluster.Node(1)
	if err != nil {
		log.Fatal(err)
	}
	const count = "SELECT count(*) FROM orders"
	_, err = node.Execute(ctx, count)
	fmt.Println("its clients:", target.OutcomeOf(err))
	result, err := node.Inside().Reading(target.Local).Execute(ctx, count)
	fmt.Println("inside:", result.Rows(), err)
	// Output:
	// its clients: not applied
	// inside: [[0]] <nil>
}

// A difference has fields for programs; its text names the nodes, the row and the column.
func ExampleInconsistencyError() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := harness.Boot(ctx, local.New(local.Options{}), harness.Size(3))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	for _, sql := range []string{
		"CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)",
		"INSERT INTO orders VALUES (1, 'tea'), (2, 'milk')",
	} {
		if _, err := cluster.ExecuteWithRetry(ctx, sql); err != nil {
			log.Fatal(err)
		}
	}
	if err := cluster.WaitForAllOnline(ctx); err != nil {
		log.Fatal(err)
	}
	node, err := cluster.Node(2)
	if err != nil {
		log.Fatal(err)
	}
	if err := node.Diverge(ctx, "UPDATE orders SET item = 'soap' WHERE id = 2"); err != nil { // on this node alone
		log.Fatal(err)
	}

	err = cluster.VerifyDataConsistency(ctx, "SELECT * FROM orders ORDER BY id")
	var difference *harness.InconsistencyError
	if !errors.As(err, &difference) {
		log.Fatal(err)
	}
	fmt.Println(difference.A.Node, difference.A.Row, difference.B.Node, difference.B.Row, difference.Column)
	fmt.Println("at one log index:", difference.A.Applied == difference.B.Applied)
	// Output:
	// 0 [2 milk] 2 [2 soap] item
	// at one log index: true
}

// A wait that fails says what the node showed, and whether a quorum is missing.
func ExampleWaitError() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := harness.Boot(ctx, local.New(local.Options{}), harness.Size(3))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	for _, node := range []int{0, 1} {
		if err := cluster.TakeNodeOffline(ctx, node, fault.Stop); err != nil {
			log.Fatal(err)
		}
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	var wait *harness.WaitError
	if err := cluster.WaitForNodeOnline(short, 0); !errors.As(err, &wait) {
		log.Fatal(err)
	}
	fmt.Println("voters online:", wait.OnlineVoters, "of", wait.Voters)
	fmt.Println("state:", wait.Last.State, wait.Last.Reason)
	// Output:
	// voters online: 1 of 3
	// state: offline stopped
}

// Links fail without a flag: the cut nodes stay online, and Heal mends the links.
func ExampleCluster_Partition() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := harness.Boot(ctx, local.New(local.Options{}), harness.Size(3))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	if err := cluster.Partition(ctx, []int{0}, []int{1, 2}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("online:", cluster.OnlineNodes())
	for _, line := range cluster.Faults().Lines() {
		fmt.Println(line)
	}
	if err := cluster.Heal(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("after Heal:", len(cluster.Faults().Lines()), "faults")
	// Output:
	// online: [node 0 (n0) node 1 (n1) node 2 (n2)]
	// link 0->1: drop
	// link 0->2: drop
	// link 1->0: drop
	// link 2->0: drop
	// after Heal: 0 faults
}
