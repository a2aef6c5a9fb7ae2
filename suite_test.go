package rejoin_test

import (
	"flag"
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/specs"
)

var clusterFlags = settings.Flags(flag.CommandLine)

func TestRejoin(t *testing.T) {
	loaded, err := settings.Load("ginkgo.yml", clusterFlags,
		settings.Environment(os.LookupEnv, os.Environ()), settings.Targets("local"))
	if err != nil {
		t.Fatal(err)
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(loaded.Suite.EventuallyTimeout)
	SetDefaultEventuallyPollingInterval(loaded.Suite.EventuallyPolling)
	SetDefaultConsistentlyDuration(loaded.Suite.ConsistentlyDuration)
	SetDefaultConsistentlyPollingInterval(loaded.Suite.ConsistentlyPolling)
	EnforceDefaultTimeoutsWhenUsingContexts()

	specs.Register(specs.Options{Target: local.New(local.FromSettings(loaded.Cluster, GinkgoWriter)), Nodes: loaded.Cluster.Nodes})
	suite, reporter := loaded.Suite.Apply(GinkgoConfiguration())
	RunSpecs(t, "Rejoin", suite, reporter)
}
