package settings

import (
	"math"
	"time"
)

const (
	suite   = "suite"
	cluster = "cluster"

	ms        = time.Millisecond
	day       = 24 * time.Hour
	unlimited = math.MaxInt64

	labelQuery = `a Ginkgo label query such as suite:recovery && !speed:slow, or "" for every spec`
)

// keys holds every setting, in the order of the file and the messages.
// Names are unique across both sections, because the name of a variable has no section.
var keys = []key{
	duration(suite, "timeout", "how long the whole run may take", time.Second, day,
		func(s *Settings) *time.Duration { return &s.Suite.Timeout }),
	duration(suite, "poll-progress-after", "how long a step runs before Ginkgo prints its progress, 0 for never", 0, day,
		func(s *Settings) *time.Duration { return &s.Suite.PollProgressAfter }),
	duration(suite, "poll-progress-interval", "the time between further progress reports, 0 for once only", 0, day,
		func(s *Settings) *time.Duration { return &s.Suite.PollProgressInterval }),
	duration(suite, "grace-period", "how long an interrupted step may take to end", ms, day,
		func(s *Settings) *time.Duration { return &s.Suite.GracePeriod }),
	toggle(suite, "randomize-all", "shuffle all specs, not only the top-level containers",
		func(s *Settings) *bool { return &s.Suite.RandomizeAll }),
	suiteText("junit-report", "the file for the JUnit report", `a file, or "" for no report`, fileProblem,
		func(s *Settings) *string { return &s.Suite.JUnitReport }),
	suiteText("report", "the file for the page of the run", "a file, or none", pageProblem,
		func(s *Settings) *string { return &s.Suite.Report }),
	choice(suite, "journals", "which journals are written to files", whoseJournals,
		func(s *Settings) *string { return &s.Suite.Journals }),
	suiteText("journal-folder", "the folder for journals", "a folder", folderProblem,
		func(s *Settings) *string { return &s.Suite.JournalFolder }),
	suiteText("decisions", "the folder for scheduling decisions in virtual time", `a folder, or "" for none`, anyText,
		func(s *Settings) *string { return &s.Suite.Decisions }),
	suiteText("label-filter", "which specs run", labelQuery, labelProblem,
		func(s *Settings) *string { return &s.Suite.LabelFilter }),
	duration(suite, "eventually-timeout", "how long Eventually waits", ms, day,
		func(s *Settings) *time.Duration { return &s.Suite.EventuallyTimeout }),
	duration(suite, "eventually-polling", "the interval at which Eventually polls", ms, time.Minute,
		func(s *Settings) *time.Duration { return &s.Suite.EventuallyPolling }),
	duration(suite, "consistently-duration", "how long Consistently polls", ms, day,
		func(s *Settings) *time.Duration { return &s.Suite.ConsistentlyDuration }),
	duration(suite, "consistently-polling", "the interval at which Consistently polls", ms, time.Minute,
		func(s *Settings) *time.Duration { return &s.Suite.ConsistentlyPolling }),

	choice(cluster, "target", "the target that runs the nodes", func(l limits) []string { return l.targets },
		func(s *Settings) *string { return &s.Cluster.Target }),
	whole(cluster, "nodes", "how many nodes a cluster has", 1, 101,
		func(s *Settings) *int { return &s.Cluster.Nodes }),
	duration(cluster, "election-timeout", "how long a node waits for a leader before it stands for election", 10*ms, time.Minute,
		func(s *Settings) *time.Duration { return &s.Cluster.ElectionTimeout }),
	whole(cluster, "snapshot-threshold", "the number of new log entries after which a node takes a snapshot", 1, unlimited,
		func(s *Settings) *uint64 { return &s.Cluster.SnapshotThreshold }),
	duration(cluster, "snapshot-interval", "how often a node checks whether a snapshot is due", 5*ms, day,
		func(s *Settings) *time.Duration { return &s.Cluster.SnapshotInterval }),
	whole(cluster, "trailing-logs", "the number of log entries kept behind a snapshot", 0, unlimited,
		func(s *Settings) *uint64 { return &s.Cluster.TrailingLogs }),
	duration(cluster, "write-timeout", "how long a node tries to commit before it answers 503", 10*ms, day,
		func(s *Settings) *time.Duration { return &s.Cluster.WriteTimeout }),
	duration(cluster, "latency", "the minimum time a message takes in virtual time", 0, time.Minute,
		func(s *Settings) *time.Duration { return &s.Cluster.Latency }),
	duration(cluster, "jitter", "the maximum random time added to latency", 0, time.Minute,
		func(s *Settings) *time.Duration { return &s.Cluster.Jitter }),
	choice(cluster, "log-level", "the minimum level that a node logs", logLevels,
		func(s *Settings) *string { return &s.Cluster.LogLevel }),
	choice(cluster, "defect", "the planted bug", func(l limits) []string { return l.defects },
		func(s *Settings) *string { return &s.Cluster.Defect }),
	whole(cluster, "interleave", "the order of runnable goroutines in virtual time", 0, unlimited,
		func(s *Settings) *uint64 { return &s.Cluster.Interleave }),
	chance(cluster, "yield", "the probability that a goroutine yields at a channel, lock or pool, in virtual time",
		func(s *Settings) *float64 { return &s.Cluster.Yield }),
	size(cluster, "max-body", "the largest request body a node reads", 1, 1<<30,
		func(s *Settings) *int64 { return &s.Cluster.MaxBody }),
}

var sections = []string{suite, cluster}

func whoseJournals(limits) []string { return []string{"failed", "all", "none"} }

func logLevels(limits) []string {
	return []string{"trace", "debug", "info", "warn", "error", "off"}
}
