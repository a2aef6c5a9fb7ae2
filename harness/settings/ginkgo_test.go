package settings_test

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/settings"
)

// ours differs in every field from Ginkgo's defaults.
var ours = settings.Suite{
	Timeout: 10 * time.Minute, PollProgressAfter: 20 * time.Second, PollProgressInterval: 10 * time.Second,
	GracePeriod: 15 * time.Second, RandomizeAll: true, JUnitReport: "ours.xml", LabelFilter: "ours",
}

// binary is the configuration of a test binary that go test starts with these arguments.
func binary(arguments ...string) (types.SuiteConfig, types.ReporterConfig) {
	GinkgoHelper()
	suite, reporter := types.NewDefaultSuiteConfig(), types.NewDefaultReporterConfig()
	var current types.GinkgoFlags
	for _, f := range types.SuiteConfigFlags.CopyAppend(types.ReporterConfigFlags...) {
		// The fields behind deprecated flags are Ginkgo's own and cannot be bound from here.
		if !strings.HasPrefix(f.KeyPath, "D.") {
			current = append(current, f)
		}
	}
	current = current.CopyAppend(types.ParallelConfigFlags...).WithPrefix("ginkgo")
	set, err := types.NewGinkgoFlagSet(current, map[string]any{"S": &suite, "R": &reporter}, types.FlagSections)
	Expect(err).NotTo(HaveOccurred())
	_, err = set.Parse(arguments)
	Expect(err).NotTo(HaveOccurred())
	return suite, reporter
}

// cli is the configuration of a test binary that the Ginkgo CLI starts with these flags, where the CLI
// ran for took before it started the binary.
func cli(took time.Duration, typed ...string) (types.SuiteConfig, types.ReporterConfig) {
	GinkgoHelper()
	suite, reporter := types.NewDefaultSuiteConfig(), types.NewDefaultReporterConfig()
	own, gos := types.NewDefaultCLIConfig(), types.NewDefaultGoFlagsConfig()
	set, err := types.BuildRunCommandFlagSet(&suite, &reporter, &own, &gos)
	Expect(err).NotTo(HaveOccurred())
	_, err = set.Parse(typed)
	Expect(err).NotTo(HaveOccurred())
	types.ReconcileFdOutputConfiguration(reporter, &suite, &own)
	if suite.Timeout > 0 {
		suite.Timeout -= took
	}
	arguments, err := types.GenerateGinkgoTestRunArgs(suite, reporter, gos)
	Expect(err).NotTo(HaveOccurred())
	return binary(arguments...)
}

var _ = Describe("Apply", func() {
	const compiling = 1297 * time.Millisecond

	It("overrides Ginkgo's defaults under go test", func() {
		suite, reporter := ours.Apply(binary())
		Expect(suite).To(And(
			HaveField("Timeout", ours.Timeout),
			HaveField("PollProgressAfter", ours.PollProgressAfter),
			HaveField("PollProgressInterval", ours.PollProgressInterval),
			HaveField("GracePeriod", ours.GracePeriod),
			HaveField("RandomizeAllSpecs", true),
			HaveField("LabelFilter", "ours"),
		))
		Expect(reporter.JUnitReport).To(BeEmpty(), "the suite writes that file itself")
	})

	It("overrides the same fields under the CLI", func() {
		suite, reporter := ours.Apply(cli(compiling))
		wanted, wantedReporter := ours.Apply(binary())
		wanted.RandomSeed = suite.RandomSeed
		Expect(suite).To(Equal(wanted))
		Expect(reporter).To(Equal(wantedReporter))
	})

	It("changes no other field", func() {
		before, beforeReporter := cli(compiling, "--seed=7", "--fail-fast", "--focus=x", "-v", "--json-report=a.json")
		suite, reporter := settings.Suite{Timeout: before.Timeout, GracePeriod: before.GracePeriod}.Apply(before, beforeReporter)
		Expect(suite).To(Equal(before))
		Expect(reporter).To(Equal(beforeReporter))
	})

	DescribeTable("gives a flag precedence",
		func(name, value, fieldName string, wanted any) {
			suite, reporter := ours.Apply(cli(0, "--"+name+"="+value))
			Expect([]any{suite, reporter}).To(ContainElement(HaveField(fieldName, wanted)))

			suite, reporter = ours.Apply(binary("--ginkgo." + name + "=" + value))
			Expect([]any{suite, reporter}).To(ContainElement(HaveField(fieldName, wanted)))
		},
		func(name, value, _ string, _ any) string { return "--" + name + "=" + value },
		Entry(nil, "timeout", "2m", "Timeout", 2*time.Minute),
		Entry(nil, "timeout", "50m", "Timeout", 50*time.Minute),
		Entry(nil, "timeout", "2h", "Timeout", 2*time.Hour),
		Entry(nil, "poll-progress-after", "1s", "PollProgressAfter", time.Second),
		Entry(nil, "poll-progress-interval", "1s", "PollProgressInterval", time.Second),
		Entry(nil, "grace-period", "1s", "GracePeriod", time.Second),
		Entry(nil, "label-filter", "theirs", "LabelFilter", "theirs"),
		Entry(nil, "junit-report", "theirs.xml", "JUnitReport", "theirs.xml"),
	)

	It("gives --randomize-all precedence over false in the file", func() {
		var calm settings.Suite
		suite, _ := calm.Apply(cli(0))
		Expect(suite.RandomizeAllSpecs).To(BeFalse())
		suite, _ = calm.Apply(cli(0, "--randomize-all"))
		Expect(suite.RandomizeAllSpecs).To(BeTrue())
	})

	DescribeTable("does not see a flag set to Ginkgo's default",
		func(name, value, fieldName string, wanted any) {
			suite, reporter := ours.Apply(cli(compiling, "--"+name+"="+value))
			Expect([]any{suite, reporter}).To(ContainElement(HaveField(fieldName, wanted)))
		},
		func(name, value, _ string, _ any) string { return "--" + name + "=" + value },
		Entry(nil, "timeout", "1h", "Timeout", ours.Timeout),
		Entry(nil, "timeout", "51m", "Timeout", ours.Timeout),
		Entry(nil, "timeout", "1h1s", "Timeout", ours.Timeout),
		Entry(nil, "timeout", "0", "Timeout", ours.Timeout),
		Entry(nil, "poll-progress-after", "0", "PollProgressAfter", ours.PollProgressAfter),
		Entry(nil, "poll-progress-interval", "0", "PollProgressInterval", ours.PollProgressInterval),
		Entry(nil, "grace-period", "30s", "GracePeriod", ours.GracePeriod),
		Entry(nil, "grace-period", "0", "GracePeriod", ours.GracePeriod),
		Entry(nil, "randomize-all", "false", "RandomizeAllSpecs", true),
		Entry(nil, "label-filter", "", "LabelFilter", "ours"),
	)

	DescribeTable("takes a value from a variable that it does not see in a flag",
		func(entry, fieldName string, wanted any) {
			loaded, err := parse("suite: {junit-report: a.xml, label-filter: a}", environment(entry))
			Expect(err).NotTo(HaveOccurred())
			suite, reporter := loaded.Suite.Apply(cli(compiling))
			Expect([]any{suite, reporter}).To(ContainElement(HaveField(fieldName, wanted)))
		},
		func(entry, _ string, _ any) string { return entry },
		Entry(nil, "REJOIN_TIMEOUT=1h", "Timeout", time.Hour),
		Entry(nil, "REJOIN_POLL_PROGRESS_AFTER=0", "PollProgressAfter", time.Duration(0)),
		Entry(nil, "REJOIN_POLL_PROGRESS_INTERVAL=0", "PollProgressInterval", time.Duration(0)),
		Entry(nil, "REJOIN_GRACE_PERIOD=30s", "GracePeriod", 30*time.Second),
		Entry(nil, "REJOIN_RANDOMIZE_ALL=false", "RandomizeAllSpecs", false),
		Entry(nil, "REJOIN_LABEL_FILTER=", "LabelFilter", ""),
	)

	It("takes the rest of the CLI's hour after a late start for a flag", func() {
		suite, _ := ours.Apply(cli(10*time.Minute - 1))
		Expect(suite.Timeout).To(Equal(ours.Timeout))
		suite, _ = ours.Apply(cli(10 * time.Minute))
		Expect(suite.Timeout).To(Equal(50 * time.Minute))
	})

	It("lets go test turn the timeout off", func() {
		suite, _ := ours.Apply(binary("--ginkgo.timeout=0"))
		Expect(suite.Timeout).To(BeZero())
	})

	It("keeps source order with --fd", func() {
		suite, _ := ours.Apply(cli(compiling, "--fd"))
		Expect(suite.RandomizeAllSpecs).To(BeFalse())
	})
})
