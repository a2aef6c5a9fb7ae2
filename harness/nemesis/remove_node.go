package nemesis

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/target"
)

// RemoveNode removes a node from the cluster. In the end it adds another one.
var RemoveNode = Kind{
	Name:        "remove a node",
	Doc:         "removes a node from the cluster, and adds another one in the end",
	Needs:       []target.Ability{target.Members},
	On:          Member,
	Claims:      ClaimsNodeAlone,
	MinNodes:    leastToRemove,
	Inject:      removeNode,
	LacksQuorum: func(error) bool { return true }, // what a target says of it is its own
	Bit:         func(before, after Evidence) bool { return before.Member && !after.Member },
}

// leastToRemove is how many members there must be so that one can be removed.
const leastToRemove = 3

func removeNode(ctx context.Context, in *Injection) (Undo, error) {
	if in.cluster.Size() < leastToRemove {
		return nil, ErrInTheWay
	}
	if err := in.remove(ctx, in.fault.Node); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		_, err := in.cluster.AddNode(ctx)
		return err
	}, nil
}
