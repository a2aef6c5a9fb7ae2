package settings

import (
	"time"

	"github.com/onsi/ginkgo/v2/types"
)

// spent is how much of its default hour the Ginkgo CLI may use before this suite starts, compiling and running
// other suites. A suite timeout within it counts as the default.
const spent = 10 * time.Minute

// Apply puts the settings into Ginkgo's configuration, except where Ginkgo's own flag is set:
//
//	s, r := ginkgo.GinkgoConfiguration()
//	s, r = loaded.Suite.Apply(s, r)
//	ginkgo.RunSpecs(t, "Rejoin", s, r)
//
// The configuration does not say which flags were set. The Ginkgo CLI always passes seed, timeout and grace
// period to the test binary, and passes no flag whose value is zero. So Apply overrides every field that has
// Ginkgo's default value. It does not see a flag that is set to just that value:
//
//	flag                      not seen                     instead
//	--timeout                 what leaves over 50m and     REJOIN_TIMEOUT=1h
//	                          up to 1h, see below; with
//	                          the CLI, also 0
//	--poll-progress-after     0                            REJOIN_POLL_PROGRESS_AFTER=0
//	--poll-progress-interval  0                            REJOIN_POLL_PROGRESS_INTERVAL=0
//	--grace-period            30s; with the CLI, also 0    REJOIN_GRACE_PERIOD=30s
//	--randomize-all           =false                       REJOIN_RANDOMIZE_ALL=false
//	--label-filter            =                            REJOIN_LABEL_FILTER=
//
// Any other value of a flag takes precedence over the variable, and the variable over the file.
//
// The CLI's --timeout is a budget for all its work. A suite gets what is left of it when the suite starts:
// 59m58.7s of the default hour. Apply takes over 50 minutes and up to an hour for the default, so it does not see
// --timeout=55m, nor 1h5m if compiling took 5 minutes. A suite that starts after the first 10 minutes of the
// default hour gets the rest of that hour, as if it had been set by a flag. With --timeout=0 the CLI has no
// budget and each suite uses Timeout; use that with --until-it-fails and --repeat. Go's own limit applies too:
// go test kills a binary after 10 minutes without a report, so pass -timeout=0 as the CLI does.
//
// With --fd, which prints specs in source order, RandomizeAll has no effect.
//
// Apply ignores JUnitReport: specs.Suite.Run writes that file, in the form of package report/junit and not of Ginkgo, unless the flag
// --junit-report asks for Ginkgo's own. It is one file, also with -p. The path is relative to the suite's folder, or absolute;
// missing folders are created. The CLI does not know it: --output-dir does not move it, and -r does not merge it with those of other
// suites. For a whole run: --json-report, and then harness/cmd/junit.
//
// Apply ignores EventuallyTimeout and the three settings after it. They belong to Gomega, which has no flags: pass
// them to gomega.SetDefaultEventuallyTimeout and so on. An Eventually with a context waits until that context
// ends, unless gomega.EnforceDefaultTimeoutsWhenUsingContexts was called.
func (s Suite) Apply(suite types.SuiteConfig, reporter types.ReporterConfig) (types.SuiteConfig, types.ReporterConfig) {
	unset := types.NewDefaultSuiteConfig()
	if left := suite.Timeout; left <= unset.Timeout && left > unset.Timeout-spent {
		suite.Timeout = s.Timeout
	}
	prefer(&suite.PollProgressAfter, unset.PollProgressAfter, s.PollProgressAfter)
	prefer(&suite.PollProgressInterval, unset.PollProgressInterval, s.PollProgressInterval)
	prefer(&suite.GracePeriod, unset.GracePeriod, s.GracePeriod)
	prefer(&suite.LabelFilter, unset.LabelFilter, s.LabelFilter)
	if !reporter.FdOutput {
		prefer(&suite.RandomizeAllSpecs, unset.RandomizeAllSpecs, s.RandomizeAll)
	}
	return suite, reporter
}

func prefer[T comparable](field *T, unset, ours T) {
	if *field == unset {
		*field = ours
	}
}
