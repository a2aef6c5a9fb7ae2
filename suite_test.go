// Raft draws its timeouts from math/rand, which a seed reaches only with this.
//
//go:debug randseednop=0
package rejoin_test

import (
	"flag"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/virtual"
	"github.com/rejoin-db/rejoin/specs"
)

var clusterFlags = settings.Flags(flag.CommandLine)

func TestRejoin(t *testing.T) {
	loaded, err := settings.Load("ginkgo.yml", clusterFlags,
		settings.Environment(os.LookupEnv, os.Environ()), settings.Targets("local", "virtual"))
	if err != nil {
		t.Fatal(err)
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(loaded.Suite.EventuallyTimeout)
	SetDefaultEventuallyPollingInterval(loaded.Suite.EventuallyPolling)
	SetDefaultConsistentlyDuration(loaded.Suite.ConsistentlyDuration)
	SetDefaultConsistentlyPollingInterval(loaded.Suite.ConsistentlyPolling)
	EnforceDefaultTimeoutsWhenUsingContexts()

	specs.Register(options(loaded.Cluster))
	suite, reporter := loaded.Suite.Apply(GinkgoConfiguration())
	suite.FailOnEmpty = true // nothing is green by doing nothing
	RunSpecs(t, "Rejoin", suite, reporter)
}

func options(cluster settings.Cluster) specs.Options {
	o := specs.Options{Nodes: cluster.Nodes}
	switch cluster.Target {
	case "local":
		o.Target = local.New(local.FromSettings(cluster, GinkgoWriter))
	case "virtual":
		runtime.GOMAXPROCS(1)   // nearly all there is to making a seed repeat, and no slower
		debug.SetGCPercent(400) // the heap is small, and a spec short
		o.Target = virtual.New(virtual.FromSettings(cluster, GinkgoWriter))
		o.Decorators = []any{virtual.Bubble()}
	}
	return o
}
