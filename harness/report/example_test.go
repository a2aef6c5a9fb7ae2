package report_test

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/report"
)

// The report has a line for each node, and the last events.
func ExampleCluster() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := harness.Boot(ctx, local.New(local.Options{}), harness.Size(3))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	if err := cluster.TakeNodeOffline(ctx, 1); err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(report.Cluster(ctx, cluster, 10)) {
		if strings.Contains(line, "offline") {
			fmt.Println(strings.Join(strings.Fields(line)[:4], " "))
			break
		}
	}
	// Output: 1 n1 offline (isolate)
}
