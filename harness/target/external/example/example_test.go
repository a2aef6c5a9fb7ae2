// Package example_test runs the specs on a target that ginkgo.yml describes. A suite of one's own needs this file, the
// drivers that its database needs as imports, and a ginkgo.yml beside it. What is about this example is only that it builds
// its database before the first spec, and ends it after the last.
package example_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"

	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target/plain"
	"github.com/rejoin-db/rejoin/specs"
)

func TestExample(t *testing.T) {
	suite := specs.Load(t, settings.Described())
	over, about, _, err := plain.New(suite.Settings)
	if err != nil {
		t.Fatal(err)
	}
	// There is one cluster, so one spec at a time: Serial.
	specs.Register(specs.Options{Target: over, Nodes: len(about.Nodes), Pace: specs.Pace(about.Pace), Decorators: []any{Serial}})
	suite.Run(t, "Example")
}

var _ = SynchronizedBeforeSuite(func() {
	if _, err := exec.LookPath("curl"); err != nil {
		Skip("the script of the example needs curl")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		Skip("the script of the example needs /proc")
	}
	binary, err := gexec.Build("github.com/rejoin-db/rejoin/harness/target/external/internal/dbnode")
	Expect(err).NotTo(HaveOccurred())
	dir, err := os.MkdirTemp("", "rejoin-example-")
	Expect(err).NotTo(HaveOccurred())
	for name, value := range map[string]string{"DBNODE": binary, "DBDIR": dir, "DBPORT": "7100"} {
		Expect(os.Setenv(name, value)).To(Succeed())
	}
	DeferCleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		said, err := exec.CommandContext(ctx, "sh", "cluster.sh", "end").CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(said))
		Expect(os.RemoveAll(dir)).To(Succeed())
		gexec.CleanupBuildArtifacts()
	})
}, func() {})
