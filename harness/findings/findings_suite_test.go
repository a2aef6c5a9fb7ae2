package findings_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/harness/local"
)

func TestFindings(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Findings")
}

// made is a finding of a database that is made up.
var made = findings.Finding{
	Title: "a node is gone while it is isolated", Setting: "defaults", Claim: "its manual, page 7", Layer: findings.Server,
	Upstream: "https://example.com/issues/7",
}

// asSuite is the variable with which this program is the suite of a database. Its value is the name of the only spec.
const asSuite = "TEST_FINDING"

func TestSuite(t *testing.T) {
	spec, is := os.LookupEnv(asSuite)
	if !is {
		t.Skip("this is the suite that the specs run")
	}
	isolates := func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, local.New(local.Options{}))
		Expect(cluster.TakeNodeOffline(ctx, 1, fault.Isolate)).To(Succeed())
		show.Seen("node %d answers nothing", 1)
	}
	unnamed := made
	unnamed.Claim = ""
	findings.Of("madeup", "1.0")
	Describe("madeup", func() {
		switch spec {
		case "seen":
			findings.It(made, isolates, Label("slow"), SpecTimeout(time.Minute))
		case "not seen":
			findings.It(made, func(ctx SpecContext, show *findings.Show) { show.Cluster(ctx, local.New(local.Options{})) })
		case "fails":
			findings.It(made, func(_ SpecContext, show *findings.Show) {
				show.Seen("it is gone")
				Expect(1).To(Equal(2))
			})
		case "claims nothing":
			findings.It(unnamed, isolates)
		case "two clusters":
			findings.It(made, func(ctx SpecContext, show *findings.Show) {
				for range 2 {
					isolates(ctx, show)
				}
			})
		}
	})
	RegisterFailHandler(Fail)
	RunSpecs(t, "Madeup")
}

// run runs this program as the suite with one spec, in a folder, and returns what it said.
func run(ctx context.Context, spec, dir string, args ...string) (said string, err error) {
	GinkgoHelper()
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	suite := exec.CommandContext(ctx, self, append([]string{"-test.run=^TestSuite$", "-ginkgo.no-color", "-ginkgo.seed=17",
		"-ginkgo.json-report=report.json", "-ginkgo.focus=^Madeup madeup "}, args...)...)
	suite.Dir = dir
	suite.Env = append(os.Environ(), asSuite+"="+spec, "REJOIN_TARGET=madeup")
	out, err := suite.CombinedOutput()
	return string(out), err
}
