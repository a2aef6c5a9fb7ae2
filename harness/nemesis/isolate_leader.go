package nemesis

import (
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// IsolateLeader cuts the leader off from all other nodes. Clients still reach it.
var IsolateLeader = Kind{
	Name:        fault.KindIsolateLeader,
	Doc:         "cuts the leader off from all other nodes, but not from clients",
	Needs:       []target.Ability{target.Links},
	On:          Leader,
	MinNodes:    2,
	Inject:      isolateLeader,
	LacksQuorum: func(err error) bool { return errors.Is(err, harness.ErrNoLeader) },
	Bit:         func(before, after Evidence) bool { return after.Term > before.Term },
}

func isolateLeader(ctx context.Context, in *Injection) (Undo, error) {
	leader, err := in.cluster.IsolateLeader(ctx)
	if err != nil {
		return nil, err
	}
	var others []int
	for _, node := range in.cluster.Nodes() {
		if node.Index() != leader {
			others = append(others, node.Index())
		}
	}
	links := fault.Around(leader, others)
	in.choose(func(f *fault.Fault) { f.Node, f.Links = leader, links })
	return in.mending(links), nil
}
