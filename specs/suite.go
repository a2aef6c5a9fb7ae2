package specs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/format"

	"github.com/rejoin-db/rejoin/harness/again"
	"github.com/rejoin-db/rejoin/harness/report/progress"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// Run runs the specs that the package of the test declares: Load, and then Suite.Run.
//
//	func TestShop(t *testing.T) { specs.Run(t, "Shop") }
//
// Run is in place of Gomega's RegisterFailHandler and Ginkgo's RunSpecs. Specs of the package
// boot clusters by Cluster.
func Run(t *testing.T, description string, options ...settings.Option) {
	t.Helper()
	Load(t, options...).Run(t, description)
}

// Main declares the specs of this package over a target, and runs them together with those
// that the package of the test declares: Load, Register and Suite.Run.
//
//	func TestRecovery(t *testing.T) { specs.Main(t, mydb.New()) }
//
// The description of the suite is the name of the test without "Test".
func Main(t *testing.T, over target.Target, options ...settings.Option) {
	t.Helper()
	if over == nil {
		t.Fatal("specs.Main was given no target")
	}
	suite := Load(t, options...)
	Register(Options{Target: over, Nodes: suite.Settings.Cluster.Nodes})
	suite.Run(t, strings.TrimPrefix(t.Name(), "Test"))
}

// Suite is how the specs of a package run.
type Suite struct {
	// Settings are those that were loaded.
	Settings settings.Settings
	// FailOnEmpty fails a run in which no spec ran, also where a filter of the command line
	// left none. A run without a filter always fails if there is no spec.
	FailOnEmpty bool
	// Again returns the command that runs a spec again, for the report of its failure, or ""
	// for none. It is given Ginkgo's seed, the spec's full text, and the file with its
	// journal, or "" if that was not written. If nil, the command is a line of go test.
	Again func(seed int64, text, journal string) string

	given []string
}

// settingsFile is the file with the settings, in the directory of the package.
const settingsFile = "ginkgo.yml"

// Load reads the settings of a suite from ginkgo.yml in the directory of the package, if
// that file exists, from the environment (REJOIN_NODES=5), and from where the options say.
// It fails the test if a setting is wrong. See package settings, and settings.Targets for
// values of cluster.target other than local.
func Load(t *testing.T, options ...settings.Option) *Suite {
	t.Helper()
	path := settingsFile
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		path = ""
	}
	options = append([]settings.Option{settings.Environment(os.LookupEnv, os.Environ())}, options...)
	loaded, err := settings.Load(path, options...)
	if err != nil {
		t.Fatal(err)
	}
	return &Suite{Settings: loaded, given: settings.Given(options,
		"suite.timeout", "suite.poll-progress-after", "suite.poll-progress-interval", "suite.grace-period", "suite.randomize-all",
		"suite.junit-report", "suite.report", "suite.journals", "suite.journal-folder", "suite.decisions", "suite.label-filter",
		"cluster.log-level")}
}

// Run runs all specs that were declared. A spec that fails because of a statement which the database has no words for
// (target.ErrNoWords) is skipped with the sentence of that error, and the report counts it. Run uses the settings of the
// suite: the defaults of Eventually and Consistently, which hold for contexts too, Ginkgo's timeouts and order, the JUnit
// report, the page of the run, and the files for journals. Flags of Ginkgo win over the settings: see settings.Suite.Apply. It blocks
// until the specs have run. Call it once in a process.
func (s *Suite) Run(t *testing.T, description string) {
	t.Helper()
	r := s.run(t.Name(), description)
	RegisterFailHandler(r.fail)
	suite := s.Settings.Suite
	SetDefaultEventuallyTimeout(suite.EventuallyTimeout)
	SetDefaultEventuallyPollingInterval(suite.EventuallyPolling)
	SetDefaultConsistentlyDuration(suite.ConsistentlyDuration)
	SetDefaultConsistentlyPollingInterval(suite.ConsistentlyPolling)
	EnforceDefaultTimeoutsWhenUsingContexts()
	key := format.RegisterCustomFormatter(brief)
	defer format.UnregisterCustomFormatter(key)

	config, reporter := suite.Apply(GinkgoConfiguration())
	reporter.NoColor = reporter.NoColor || os.Getenv("NO_COLOR") != "" // https://no-color.org
	if err := settings.CheckFilters(config); err != nil {
		t.Fatal(err)
	}
	filtered := len(config.FocusStrings)+len(config.SkipStrings)+len(config.FocusFiles)+len(config.SkipFiles) > 0 ||
		config.LabelFilter != "" || config.SemVerFilter != ""
	config.FailOnEmpty = config.FailOnEmpty || s.FailOnEmpty || !filtered
	said, err := progress.Open(os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	ReportProgress(said, description)
	ReportBeforeEach(r.wordless.begins)
	ReportAfterEach(r.reportAgain)
	ReportAfterSuite("statements without words", r.wordless.count)
	ReportAfterSuite("what is expected", reportExpected)
	ReportAfterSuite("what is skipped", reportSkipped)
	if suite.JUnitReport != "" && reporter.JUnitReport == "" {
		ReportAfterSuite("the JUnit report", s.reportJUnit)
	}
	if suite.Report != noPage && !config.DryRun {
		ReportAfterSuite("the page of the run", func(report Report) { s.reportPage(r, report) })
	}
	RunSpecs(t, description, config, reporter, AroundNode(r.within))
	if err := said.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// run is what each spec of a suite that runs can ask for: see runOf.
type run struct {
	nodes    int
	journals journals
	again    func(seed int64, text, journal string) string
	wordless wordless
	judged   expectation
	left     *leftovers // of the current spec
	lasting  bool       // whether a cluster was released, and may run on
}

func (s *Suite) run(test, description string) *run {
	r := &run{nodes: s.Settings.Cluster.Nodes, again: s.Again}
	suite := s.Settings.Suite
	r.journals.Settings = s.Settings.Cluster.Named()
	if suite.Journals != "none" {
		r.journals.Folder, r.journals.All = suite.JournalFolder, suite.Journals == "all"
	}
	if suite.Report != noPage {
		r.journals.Waiting = &waiting{page: suite.Report}
	}
	if r.again == nil {
		path, flags := again.Built()
		r.again = func(seed int64, text, _ string) string {
			return again.Test{Package: path, Test: test, Suite: description, Seed: seed, Text: text,
				Flags: flags, Variables: s.given, Exact: replay.Exact()}.Line()
		}
	}
	return r
}

// runKey is the key of the run in the context of each node of a spec.
type runKey struct{}

// within returns the context of a node, with the run in it.
func (r *run) within(ctx context.Context) context.Context { return context.WithValue(ctx, runKey{}, r) }

// runOf returns the run that the context belongs to. In a suite that Suite.Run does not run,
// clusters have 3 nodes and no journal is written.
func runOf(ctx context.Context) *run {
	if r, is := ctx.Value(runKey{}).(*run); is {
		return r
	}
	return &run{nodes: 3}
}
