package rqlite_test

import (
	"context"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/rqlite"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
	"github.com/rejoin-db/rejoin/specs"
)

// binaryVariable names the rqlited on which REJOIN_TARGET=rqlite runs the suite.
const binaryVariable = "RQLITED"

// election is the timeout of the nodes: a tenth of rqlite's own.
const election = 300 * time.Millisecond

func TestRqlite(t *testing.T) {
	suite := specs.Load(t, settings.Targets("local", "rqlite"))
	asked = suite.Settings.Cluster.Target == "rqlite"
	targettest.Register(nodes{})
	if asked {
		specs.Register(specs.Options{Target: nodes{}, Pace: specs.Pace{Election: election, Failover: 3 * time.Second, Write: 2 * time.Second}})
	}
	suite.Run(t, "Rqlite")
}

// asked tells whether REJOIN_TARGET asks for rqlite: the suite takes minutes, and ginkgo -r runs all packages. Without it
// conformance runs on the fake.
var asked bool

// nodes is the target of the specs: rqlite, or the fake.
type nodes struct{}

func (nodes) Boot(ctx context.Context, size int) (target.Cluster, error) {
	if err := hosts.Supported(); err != nil {
		Skip(err.Error())
	}
	options := rqlite.Options{Binary: os.Getenv(binaryVariable), Election: election, Snapshot: 128}
	switch {
	case !asked:
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		GinkgoT().Setenv(fakeVariable, "yes")
		options.Binary = self
	case options.Binary == "":
		Skip("set " + binaryVariable + " to the path of an rqlited to run the suite on it")
	}
	return rqlite.New(options).Boot(ctx, size)
}
