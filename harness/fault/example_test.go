package fault_test

import (
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

func ExampleFault() {
	f := fault.Fault{Kind: "slow link", Links: []fault.Link{{From: 0, To: 1}}, By: 20 * time.Millisecond}
	fmt.Println(f)
	// Output: slow link (0->1, by 20ms)
}

func ExamplePartition() {
	fmt.Println(fault.Partition([]int{0}, []int{1, 2}))
	// Output: [0->1 1->0 0->2 2->0]
}

func ExampleRule() {
	rule := fault.Rule{Latency: 20 * time.Millisecond, Loss: 0.1}
	fmt.Println(rule, rule.Validate())
	// Output: latency 20ms, jitter 0s, loss 10% <nil>
}

func ExampleDisk() {
	fmt.Println(fault.Disk{Full: true, Slow: time.Second})
	// Output: full, 1s slower
}
