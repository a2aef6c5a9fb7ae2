package settings

import (
	"time"

	"github.com/onsi/ginkgo/v2/types"
)

// spent is how much of its default hour the Ginkgo CLI may have used up, compiling and running other
// suites, before it starts this one, for the rest still to be taken for that default.
const spent = 10 * time.Minute

// Apply puts the settings into Ginkgo's configuration, except where somebody set Ginkgo's own flag:
//
//	s, r := ginkgo.GinkgoConfiguration()
//	s, r = loaded.Suite.Apply(s, r)
//	ginkgo.RunSpecs(t, "Rejoin", s, r)
//
// Whether somebody did cannot be asked. The Ginkgo CLI passes seed, timeout and grace period to the
// test binary in any case and passes no flag whose value is zero. So a field that has the value Ginkgo
// gives it by itself takes ours, and a flag that asks for just that value is not seen:
//
//	flag                      not seen                     instead
//	--timeout                 what leaves over 50m and     REJOIN_TIMEOUT=1h
//	                          up to 1h, see below; with
//	                          the CLI, also 0
//	--poll-progress-after     0                            REJOIN_POLL_PROGRESS_AFTER=0
//	--poll-progress-interval  0                            REJOIN_POLL_PROGRESS_INTERVAL=0
//	--grace-period            30s; with the CLI, also 0    REJOIN_GRACE_PERIOD=30s
//	--randomize-all           =false                       REJOIN_RANDOMIZE_ALL=false
//	--junit-report            =                            REJOIN_JUNIT_REPORT=
//	--label-filter            =                            REJOIN_LABEL_FILTER=
//
// Any other value of a flag wins over the variable, and the variable over the file.
//
// The CLI's --timeout is a budget for everything it does. It hands a suite what is left of it when
// that suite starts: 59m58.7s of the default hour. What arrives as over 50 minutes and up to an hour
// is therefore taken for the default, so a typed 55m is not seen, and neither is 1h5m if compiling took
// the 5 minutes. A suite that starts after the first 10 minutes of the default hour gets what is left
// of it in place of ours, as if it had been typed. With --timeout=0 the CLI keeps no budget and each
// suite has ours; for --until-it-fails and --repeat that is what you want. Go's own limit counts as
// well: go test ends a binary after 10 minutes without a report, so give it -timeout=0 as the CLI does.
//
// With --fd, which prints specs in the order of the source, RandomizeAll is left off.
//
// A JUnitReport from here is written by the suite itself, one file also with -p, by the first process.
// The path is relative to the suite's folder and may be absolute; missing folders are made. The CLI does
// not know of it: --output-dir does not move it, -r does not merge it with those of other suites, and a
// suite that does not compile writes none. The flag --junit-report does all three. With the CLI its path
// is relative to the folder the CLI was called in, or to --output-dir; with go test, to the suite's.
//
// EventuallyTimeout and its three neighbours belong to Gomega, which has no flags: hand them to
// gomega.SetDefaultEventuallyTimeout and so on. An Eventually that is given a context waits as long as
// that context, unless gomega.EnforceDefaultTimeoutsWhenUsingContexts is called too.
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
	prefer(&reporter.JUnitReport, types.NewDefaultReporterConfig().JUnitReport, s.JUnitReport)
	return suite, reporter
}

func prefer[T comparable](field *T, unset, ours T) {
	if *field == unset {
		*field = ours
	}
}
