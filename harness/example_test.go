package harness_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/rejoin-db/rejoin/harness"
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

// Only nodes that are online are compared, each by its own state.
func ExampleCluster_VerifyDataConsistency() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := harness.Boot(ctx, local.New(local.Options{}), harness.Size(1))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	fmt.Println(cluster.VerifyDataConsistency(ctx, "SELECT ? + 1", 41))

	// What cannot be compared is an error, and so is a difference: an
	// *InconsistencyError, which names both nodes, the row and the column.
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

// All online nodes are asked at once; the results come in the order of the nodes.
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

// A node that is cut off runs on, alone. Inside shows what it really holds.
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
