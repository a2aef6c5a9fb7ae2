// Package example_test runs the specs on a target that ginkgo.yml describes. A suite of one's own needs this file, the
// drivers that its database needs as imports, and a ginkgo.yml beside it. What is about this example is only that it
// builds its database.
package example_test

import (
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega/gexec"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target/plain"
	"github.com/rejoin-db/rejoin/specs"
)

func TestExample(t *testing.T) {
	BeforeSuite(func() {
		if err := hosts.Supported(); err != nil {
			Skip(err.Error())
		}
	})
	built, err := gexec.Build("github.com/rejoin-db/rejoin/harness/target/shipdb")
	if err != nil {
		t.Fatal(err)
	}
	defer gexec.CleanupBuildArtifacts()
	if err := os.Setenv("SHIPDB", built); err != nil {
		t.Fatal(err)
	}
	suite := specs.Load(t, settings.Described())
	over, about, _, err := plain.New(suite.Settings)
	if err != nil {
		t.Fatal(err)
	}
	specs.Register(specs.Options{Target: over, Nodes: suite.Settings.Cluster.Nodes, Pace: specs.Pace(about.Pace)})
	suite.Run(t, "Example")
}
