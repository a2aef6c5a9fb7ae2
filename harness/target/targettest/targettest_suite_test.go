package targettest_test

import (
	"os"
	"os/exec"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/internal/fakedb"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
)

func TestTargettest(t *testing.T) {
	if os.Getenv(beAdapter) != "" {
		t.Skip("this is the suite of an adapter")
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "Targettest")
}

// With this variable the program is the suite of an adapter: see TestRun.
const beAdapter = "TEST_BE_AN_ADAPTER"

func TestConformance(t *testing.T) {
	if os.Getenv(beAdapter) == "" {
		t.Skip("this is the suite that TestRun runs")
	}
	targettest.Run(t, target.Decorate(&fakedb.Target{}, func(c target.Cluster) (target.Cluster, error) { return careless{c}, nil }), hasty)
}

func TestRun(t *testing.T) {
	if os.Getenv(beAdapter) != "" {
		t.Skip("this is the suite itself")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self, "-test.run=^TestConformance$", "-ginkgo.no-color", "-ginkgo.v",
		"-ginkgo.focus=^Conformance An adapter (isolates a node from its|slows a link|rejoins|keeps values|closes twice)")
	command.Env = append(os.Environ(), beAdapter+"=1")
	out, err := command.CombinedOutput()
	g := NewWithT(t)
	g.Expect(err).To(HaveOccurred())
	said := string(out)
	g.Expect(said).To(ContainSubstring("[FAILED] a client's write at the isolated node n1 succeeded (look at Cluster.Isolate)"))
	g.Expect(said).To(ContainSubstring("the target cannot degrade single links"))
	g.Expect(said).To(MatchRegexp(`Ran 4 of \d+ Specs`), "the skipped one was not run")
	g.Expect(said).To(ContainSubstring("3 Passed | 1 Failed"), said)
}

var (
	binary     string   // the program of the process target's nodes
	folders    []string // of targets' files; empty when the suite is over
	goroutines []gleak.Goroutine
)

// The specs of Register share clusters, so that only the whole suite must leave nothing.
var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	built, remove, err := process.Build(ctx)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(remove)
	return []byte(built)
}, func(built []byte) {
	binary = string(built)
	goroutines = gleak.Goroutines()
})

var _ = AfterSuite(func() {
	for _, dir := range folders {
		Expect(os.Remove(dir)).To(Succeed())
	}
	Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
})
