//go:build bench

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gmeasure"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/report/progress"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/specs"
)

func TestBench(t *testing.T) {
	loaded, err := settings.Load("../../ginkgo.yml",
		settings.Environment(os.LookupEnv, os.Environ()), settings.Targets("local", "virtual", "process"))
	if err != nil {
		t.Fatal(err)
	}
	cluster = loaded.Cluster
	RegisterFailHandler(Fail)
	suite, reporter := GinkgoConfiguration()
	suite.RandomizeAllSpecs = false
	said, err := progress.Open(os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	specs.ReportProgress(said, "Bench")
	RunSpecs(t, "Bench", suite, reporter)
}

var (
	cluster settings.Cluster
	figures []Figure
)

// record adds the measurement of that name to the table.
func record(e *gmeasure.Experiment, name, reach, unit string) {
	GinkgoHelper()
	figures = append(figures, Of(e, name, reach, unit))
}

var _ = ReportAfterSuite("figures", func(Report) {
	fmt.Println(Table(figures))
	Expect(Write(filepath.Join("..", "..", "reports", "bench.json"), figures)).To(Succeed())
})

// boot boots a cluster with the suite's settings and closes it when the spec ends.
func boot(ctx SpecContext) *harness.Cluster {
	GinkgoHelper()
	c, err := harness.Boot(ctx, newTarget(), harness.Size(cluster.Nodes))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return c
}

func newTarget() *local.Target { return local.New(local.FromSettings(cluster, nil)) }

func run(ctx SpecContext, c *harness.Cluster, sql string, args ...any) harness.Result {
	GinkgoHelper()
	result, err := c.ExecuteOnRandom(ctx, sql, args...)
	Expect(err).NotTo(HaveOccurred())
	return result
}

const long = NodeTimeout(10 * time.Minute)
