package nemesis

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Partition cuts the nodes before Node off from the others, Node included. A Node of 0 is the same
// as 1.
var Partition = Kind{
	Name:     "partition",
	Doc:      "cuts the first nodes off from the others",
	Needs:    []target.Ability{target.Links},
	On:       Network,
	MinNodes: 2,
	Words: func(f fault.Fault) string {
		return fmt.Sprintf("%s (nodes below %d, the others)", f.Kind, max(f.Node, 1))
	},
	Inject: partition,
	Bit:    moved,
}

func partition(ctx context.Context, in *Injection) (Undo, error) {
	var first, second []int
	for _, node := range in.cluster.Nodes() {
		if node.Index() < max(in.fault.Node, 1) {
			first = append(first, node.Index())
		} else {
			second = append(second, node.Index())
		}
	}
	if len(first) == 0 || len(second) == 0 { // another fault has removed one side
		return nil, ErrInTheWay
	}
	if err := in.cluster.Partition(ctx, first, second); err != nil {
		return nil, err
	}
	links := fault.Partition(first, second)
	in.choose(func(f *fault.Fault) { f.Links = links })
	return in.mending(links), nil
}
