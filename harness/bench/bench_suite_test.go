//go:build bench

package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gmeasure"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/settings"
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
	RunSpecs(t, "Bench", suite, reporter)
}

var (
	cluster settings.Cluster
	figures []figure
)

// figure is one measured quantity. Reach is the goal, in words; Unit is ms, MiB, times or a second.
type figure struct {
	What   string  `json:"what"`
	Reach  string  `json:"reach"`
	Unit   string  `json:"unit"`
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Tries  int     `json:"tries"`
}

// record adds the measurement of that name to the table.
func record(e *gmeasure.Experiment, name, reach, unit string) {
	GinkgoHelper()
	m := e.Get(name)
	values := m.Values
	for _, d := range m.Durations {
		values = append(values, float64(d.Nanoseconds())/1e6)
	}
	stats := e.GetStats(name)
	f := figure{What: name, Reach: reach, Unit: unit, Tries: len(values)}
	if len(m.Durations) > 0 {
		ms := func(s gmeasure.Stat) float64 { return float64(stats.DurationFor(s).Nanoseconds()) / 1e6 }
		f.Median, f.Min, f.Max = ms(gmeasure.StatMedian), ms(gmeasure.StatMin), ms(gmeasure.StatMax)
	} else {
		f.Median = stats.FloatFor(gmeasure.StatMedian)
		f.Min, f.Max = stats.FloatFor(gmeasure.StatMin), stats.FloatFor(gmeasure.StatMax)
	}
	figures = append(figures, f)
}

var _ = ReportAfterSuite("figures", func(Report) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nwhat\treach\tmedian\tmin\tmax\ttries\t")
	for _, f := range figures {
		fmt.Fprintf(w, "%s\t%s\t%.3g %s\t%.3g\t%.3g\t%d\t\n", f.What, f.Reach, f.Median, f.Unit, f.Min, f.Max, f.Tries)
	}
	Expect(w.Flush()).To(Succeed())
	fmt.Println(b.String())

	content, err := json.MarshalIndent(figures, "", "  ")
	Expect(err).NotTo(HaveOccurred())
	path := filepath.Join("..", "..", "reports", "bench.json")
	Expect(os.MkdirAll(filepath.Dir(path), 0o755)).To(Succeed())
	Expect(os.WriteFile(path, append(content, '\n'), 0o644)).To(Succeed())
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
