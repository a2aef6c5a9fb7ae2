package workload_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/virtual"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// Clients add values to sets and read them while a node is offline. Then the journal is judged.
func ExampleLoad() {
	err := virtual.Run(context.Background(), func(ctx context.Context) {
		cluster, err := harness.Boot(ctx, virtual.New(virtual.Options{}))
		if err != nil {
			log.Fatal(err)
		}
		defer cluster.Close()
		load := workload.Load{Workload: workload.Set("example"), Clients: 3, Rate: 20, Seed: 1}
		running, err := load.Start(ctx, cluster)
		if err != nil {
			log.Fatal(err)
		}
		if err := cluster.TakeNodeOffline(ctx, 1); err != nil {
			log.Fatal(err)
		}
		if err := cluster.Advance(ctx, 5*time.Second); err != nil {
			log.Fatal(err)
		}
		if err := cluster.BringNodeOnline(ctx, 1); err != nil {
			log.Fatal(err)
		}
		fmt.Println(running.Finish(ctx), check.All(cluster.Journal().Events()))
	})
	fmt.Println(err)
	// Output:
	// <nil> <nil>
	// <nil>
}
