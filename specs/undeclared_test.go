package specs_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
	"github.com/rejoin-db/rejoin/specs"
)

// undeclared is a cluster that declares no assumption.
type undeclared struct{ target.Cluster }

func (c undeclared) Unwrap() target.Cluster        { return c.Cluster }
func (c undeclared) Declares() []target.Assumption { return nil }

// relying are suites of which most specs rely on an assumption. Others run when Ginkgo's flag
// --label-filter asks for them.
const relying = "suite: containsAny {story, names, namespaces, values, hostile, misuse, cascade, clocks, comparing, diverging, " +
	"pressure, rolling, moved}"

func TestWithoutAssumptions(t *testing.T) {
	RegisterFailHandler(Fail)
	loaded := settings.Default()
	SetDefaultEventuallyTimeout(loaded.Suite.EventuallyTimeout)
	SetDefaultEventuallyPollingInterval(loaded.Suite.EventuallyPolling)
	SetDefaultConsistentlyDuration(loaded.Suite.ConsistentlyDuration)
	SetDefaultConsistentlyPollingInterval(loaded.Suite.ConsistentlyPolling)
	EnforceDefaultTimeoutsWhenUsingContexts()

	nodes := virtual.FromSettings(loaded.Cluster, GinkgoWriter)
	bare := target.Decorate(virtual.New(nodes), func(c target.Cluster) (target.Cluster, error) { return undeclared{c}, nil })
	specs.Register(specs.Options{Target: bare, Decorators: []any{virtual.Bubble()}})
	ReportAfterSuite("skipped specs", func(report Report) { skippedWithAssumption(t, report) })

	suite, reporter := GinkgoConfiguration()
	if suite.LabelFilter == "" {
		suite.LabelFilter = relying
	}
	suite.Timeout = 20 * time.Minute
	RunSpecs(t, "without assumptions", suite, reporter)
}

// skippedWithAssumption proves that specs were skipped because of an assumption, with its
// sentence, and that no spec failed.
func skippedWithAssumption(t *testing.T, report Report) {
	ran, skipped := 0, make(map[target.Assumption]int)
	for _, spec := range report.SpecReports.WithLeafNodeType(types.NodeTypeIt) {
		switch i := slices.IndexFunc(target.Assumptions(), func(a target.Assumption) bool {
			return strings.HasSuffix(spec.FailureMessage(), "the target does not declare that "+string(a))
		}); {
		case i >= 0:
			skipped[target.Assumptions()[i]]++
		case spec.State == types.SpecStatePassed:
			ran++
		case spec.Failed():
			t.Errorf("%s: %s", spec.FullText(), spec.FailureMessage())
		}
	}
	t.Logf("%d specs passed", ran)
	for _, a := range target.Assumptions() {
		t.Logf("%3d skipped: %s", skipped[a], a)
	}
	if len(skipped) == 0 {
		t.Error("no spec was skipped because of an assumption")
	}
}
