package nemesis_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/nemesis"
)

// The target is a fake here; use your own.
func Example() {
	ctx := context.Background()
	cluster, err := harness.Boot(ctx, &fake.Target{})
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	n := nemesis.New(cluster, 0)
	slow := fault.Fault{Kind: "slow link", Links: []fault.Link{{From: 0, To: 1}}, By: 20 * time.Millisecond}
	injection, err := n.Inject(ctx, slow, time.Second)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n.InForce())
	if _, err := injection.Undo(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n.InForce())
	// Output:
	// [slow link (0->1, latency 20ms, jitter 10ms, by 20ms)]
	// []
}

func ExampleFind() {
	k, err := nemesis.Find("wipe")
	fmt.Printf("The fault %s. %v\n", k.Doc, err)
	_, err = nemesis.Find("flood")
	fmt.Println(err != nil)
	// Output:
	// The fault crashes a node, which comes back with an empty disk as a new member. <nil>
	// true
}

func ExampleKind_Draw() {
	k, err := nemesis.Find("slow disk")
	if err != nil {
		log.Fatal(err)
	}
	f := k.Draw(rand.New(rand.NewPCG(1, 0)), nemesis.Scale{Nodes: 3, Pace: time.Second})
	fmt.Println(f.Node < 3, f.By >= k.Unit(time.Second))
	// Output: true true
}
