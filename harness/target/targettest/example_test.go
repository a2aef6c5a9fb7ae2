package targettest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rejoin-db/rejoin/harness/internal/fakedb"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
)

// An adapter's test is one line.
func ExampleRun() {
	_ = func(t *testing.T) { targettest.Run(t, &fakedb.Target{}) }
}

// careless is a cluster whose Isolate does nothing.
type careless struct{ target.Cluster }

func (careless) Isolate(context.Context, int) error { return nil }

func ExampleTry() {
	wrong := target.Decorate(&fakedb.Target{}, func(c target.Cluster) (target.Cluster, error) { return careless{c}, nil })
	for _, check := range targettest.Checks() {
		if check.Name != "isolates a node from its clients" && check.Name != "slows a link" {
			continue
		}
		err := targettest.Try(context.Background(), wrong, check, targettest.Options{})
		var skipped *targettest.Skipped
		fmt.Printf("an adapter %s:\n%v (skipped: %t)\n", check.Name, err, errors.As(err, &skipped))
	}
	// Output:
	// an adapter isolates a node from its clients:
	// a client's write at the isolated node n1 succeeded (look at Cluster.Isolate) (skipped: false)
	// an adapter slows a link:
	// the target cannot degrade single links (skipped: true)
}
