package nemesis

import (
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// CrashAll crashes all nodes at once, as a power failure does.
var CrashAll = Kind{
	Name:   "crash all",
	Doc:    "crashes all nodes at once",
	Needs:  []target.Ability{target.Crash},
	On:     Cluster,
	Claims: ClaimsAll,
	Inject: crashAll,
	Bit:    func(before, after Evidence) bool { return after.Running < before.Running },
}

// crashAll crashes all nodes that are not offline already.
func crashAll(ctx context.Context, in *Injection) (Undo, error) {
	var undos []Undo
	back := func(ctx context.Context) (err error) {
		for _, undo := range undos {
			err = errors.Join(err, undo(ctx))
		}
		return err
	}
	for _, node := range in.cluster.Nodes() {
		undo, err := in.takeOffline(ctx, node.Index(), fault.Crash)
		switch {
		case err == nil:
			undos = append(undos, undo)
		case in.isAway(err, []int{node.Index()}):
		default:
			return nil, errors.Join(err, back(ctx))
		}
	}
	if len(undos) == 0 {
		return nil, ErrInTheWay
	}
	return back, nil
}
