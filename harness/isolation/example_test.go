//go:build cgo

package isolation_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/isolation"
	"github.com/rejoin-db/rejoin/harness/isolation/transacting"
	"github.com/rejoin-db/rejoin/harness/target"
)

// What a database with snapshot isolation prevents.
func Example() {
	ctx := context.Background()
	c, err := harness.Boot(ctx, &transacting.Target{Flaw: transacting.WriteSkew, Levels: []target.Isolation{target.Snapshot}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close() }()
	for _, a := range isolation.Anomalies() {
		played, err := a.Play(ctx, isolation.Setting{
			Cluster: c, Table: "t", Level: target.Snapshot, Nodes: []int{0, 1, 2}, Wait: 10 * time.Second,
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s, forbidden: %t\n", a, played.Verdict, a.ForbiddenAt(target.Snapshot))
	}
	// Output:
	// G0 (dirty write): prevented: aborts, forbidden: true
	// G1a (aborted read): prevented, forbidden: true
	// G1b (intermediate read): prevented, forbidden: true
	// G1c (circular information flow): prevented, forbidden: true
	// OTV (observed transaction vanishes): prevented: aborts, forbidden: true
	// P4 (lost update): prevented: aborts, forbidden: true
	// G-single (read skew): prevented, forbidden: true
	// PMP (predicate has many preceders): prevented, forbidden: true
	// G2-item (write skew): happens, forbidden: false
	// G2 (write skew of a predicate): happens, forbidden: false
}
