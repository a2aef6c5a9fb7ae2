package target_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

// A client tests for the kind of an error. The code stays the database's own.
func ExampleError() {
	err := error(&target.Error{
		Node: "n1", Code: "40001", Message: "no primary", Outcome: target.NotApplied, Kind: target.ErrNoLeader, Temporary: true,
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, target.ErrNoLeader), errors.Is(err, target.ErrNoQuorum))
	fmt.Println(target.OutcomeOf(err))
	// Output:
	// node n1: 40001: no primary (not applied)
	// true false
	// not applied
}

func ExampleKindOf() {
	err := fmt.Errorf("insert: %w", &target.Error{Kind: target.ErrConstraint})
	fmt.Println(target.KindOf(err))
	fmt.Println(target.KindOf(errors.New("something else")))
	// Output:
	// a constraint failed
	// <nil>
}

func ExampleActivities() {
	status := target.Status{ID: "n0", Activities: target.Activities{
		{Work: target.TakingSnapshot}, {Work: target.SendingSnapshot, Peer: "n1"},
	}}
	fmt.Println(status.Activities)
	fmt.Println(status.Activities.Include(target.SendingSnapshot), status.Activities.Include(target.ReplayingLog))
	// Output:
	// taking a snapshot, sending a snapshot to n1
	// true false
}

func ExampleCan() {
	cluster, err := (&fake.Target{Plain: true}).Boot(context.Background(), 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("crash:", target.Can(cluster, target.Crash))
	fmt.Println("streams:", target.Holds(cluster, target.Streams))
	// Output:
	// crash: false
	// streams: false
}

// logged is a cluster that writes down which nodes were isolated. It keeps all abilities of
// the cluster that it decorates.
type logged struct {
	target.Cluster
	log *[]string
}

func (c logged) Unwrap() target.Cluster { return c.Cluster }

func (c logged) Isolate(ctx context.Context, node int) error {
	*c.log = append(*c.log, c.Nodes()[node].ID())
	return c.Cluster.Isolate(ctx, node)
}

func ExampleDecorate() {
	var log []string
	decorated := target.Decorate(&fake.Target{}, func(c target.Cluster) (target.Cluster, error) { return logged{c, &log}, nil })
	cluster, err := decorated.Boot(context.Background(), 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cluster.Isolate(context.Background(), 1), log)
	fmt.Println("still crashes nodes:", target.Can(cluster, target.Crash))
	// Output:
	// <nil> [n1]
	// still crashes nodes: true
}
