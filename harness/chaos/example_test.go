package chaos_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// In a test of your own: func TestMain(*testing.M) { chaos.Main(yourdb.Target{}) }
func ExampleMain() {
	chaos.Main(local.New(local.Options{}))
}

// One seed in virtual time; without Once it would look for a minute.
func ExampleHunt() {
	hunt := chaos.Hunt{
		Target: virtual.New(virtual.Options{}),
		In: func(ctx context.Context, seed uint64, body func(context.Context)) error {
			return virtual.Run(ctx, body, virtual.Seed(seed))
		},
		Seed: 7, Once: true, Out: io.Discard,
	}
	found, err := hunt.Run(context.Background())
	fmt.Println(found, err)
	// Output: false <nil>
}

func ExampleRun() {
	schedule := chaos.Schedule{
		Seed: 1, Nodes: 3, Pace: time.Second, Workloads: []string{"set"}, Clients: 2, Rate: 2, Length: 30 * time.Second,
		Faults: []chaos.Entry{{At: 5 * time.Second, Lasts: 10 * time.Second, Fault: fault.Fault{Kind: "crash", Node: 1}}},
	}
	err := virtual.Run(context.Background(), func(ctx context.Context) {
		outcome, err := chaos.Run(ctx, virtual.New(virtual.Options{}), schedule, chaos.Options{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(outcome.Failure == nil, outcome.Faults["crash"])
	})
	fmt.Println(err)
	// Output:
	// true     1 made,     1 bit,     0 not made
	// <nil>
}

func ExampleDraw() {
	fmt.Println(chaos.Draw(17, chaos.Virtual()).Validate())
	// Output: <nil>
}

func ExampleSpec() {
	schedule := chaos.Schedule{
		Seed: 1, Nodes: 3, Workloads: []string{"set"}, Clients: 1, Rate: 1, Length: time.Minute,
		Faults: []chaos.Entry{{Lasts: time.Second, Fault: fault.Fault{Kind: "crash", Node: 1}}},
	}
	code, err := chaos.Spec(schedule, chaos.Place{Target: "yourTarget"})
	fmt.Println(code[:len("// Found with seed 1.")], err)
	// Output: // Found with seed 1. <nil>
}
