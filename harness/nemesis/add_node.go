package nemesis

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// AddNode adds a node to the cluster. In the end it removes the node.
var AddNode = Kind{
	Name:        "add a node",
	Doc:         "adds a node to the cluster, and removes it in the end",
	Needs:       []target.Ability{target.Members},
	On:          Cluster,
	KeepsQuorum: true,
	Inject:      addNode,
	LacksQuorum: func(error) bool { return true }, // what a target says of it is its own
	Bit:         func(before, after Evidence) bool { return !before.Member && after.Member },
}

func addNode(ctx context.Context, in *Injection) (Undo, error) {
	node, err := in.cluster.AddNode(ctx)
	if err != nil {
		return nil, err
	}
	in.choose(func(f *fault.Fault) { f.Node = node.Index() })
	return func(ctx context.Context) error { return in.remove(ctx, node.Index()) }, nil
}

// remove removes a node from the cluster. Other faults know that it is leaving.
func (in *Injection) remove(ctx context.Context, node int) error {
	defer in.nemesis.leave(node)()
	return in.cluster.RemoveNode(ctx, node)
}
