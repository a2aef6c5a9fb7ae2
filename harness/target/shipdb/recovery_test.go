package main_test

import (
	"context"
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
	"github.com/rejoin-db/rejoin/specs"
)

// built is shipdb with the program that the suite has built.
type built struct{ bug string }

func (b built) Boot(ctx context.Context, size int) (target.Cluster, error) {
	if err := hosts.Supported(); err != nil {
		Skip(err.Error())
	}
	return NewShipdb(binary, b.bug).Boot(ctx, size)
}

var _ = Describe("The adapter", func() { targettest.Register(built{}) })

// TestRecovery runs the suite on shipdb with the bug that the environment names.
func TestRecovery(t *testing.T) {
	bug, is := os.LookupEnv("SHIPDB_BUG")
	if !is {
		t.Skip("SHIPDB_BUG is not set")
	}
	specs.Main(t, built{bug})
}
