package process_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/process"
)

// A node is killed, and comes back with all that it had acknowledged.
func ExampleNew() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	binary, remove, err := process.Build(ctx) // once for all clusters
	if err != nil {
		log.Fatal(err)
	}
	defer remove()
	nodes := process.New(process.Options{Binary: func() string { return binary }})
	cluster, err := harness.Boot(ctx, nodes, harness.Size(3))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	if _, err := cluster.ExecuteWithRetry(ctx, "CREATE TABLE orders (item TEXT)"); err != nil {
		log.Fatal(err)
	}
	if err := cluster.TakeNodeOffline(ctx, 1, fault.Crash); err != nil { // SIGKILL
		log.Fatal(err)
	}
	if err := cluster.BringNodeOnline(ctx, 1); err != nil {
		log.Fatal(err)
	}
	if err := cluster.WaitForNodeOnline(ctx, 1); err != nil {
		log.Fatal(err)
	}
	fmt.Println(cluster.VerifyDataConsistency(ctx, "SELECT * FROM orders"))
	// Output: <nil>
}
