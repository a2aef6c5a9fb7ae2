package nemesis

import (
	"context"
	"slices"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Partition cuts groups of nodes off from each other. Nodes that were added to the cluster later belong to the
// last group.
var Partition = Kind{
	Name:     fault.KindPartition,
	Doc:      "cuts groups of nodes off from each other",
	Needs:    []target.Ability{target.Links},
	On:       Network,
	MinNodes: 2,
	Inject:   partition,
	Bit:      moved,
}

func partition(ctx context.Context, in *Injection) (Undo, error) {
	groups := make([][]int, len(in.fault.Groups))
	for _, node := range in.cluster.Nodes() {
		i := slices.IndexFunc(in.fault.Groups, func(group []int) bool { return slices.Contains(group, node.Index()) })
		if i < 0 {
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], node.Index())
	}
	groups = slices.DeleteFunc(groups, func(group []int) bool { return len(group) == 0 })
	if len(groups) < 2 { // other faults have removed all nodes of one side
		return nil, ErrInTheWay
	}
	if err := in.cluster.Partition(ctx, groups...); err != nil {
		return nil, err
	}
	links := fault.Partition(groups...)
	in.choose(func(f *fault.Fault) { f.Groups, f.Links = groups, links })
	return in.mending(links), nil
}
