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
)

// keys holds every setting, in the order in which the file and the messages list them.
// Names are unique over both sections, because a variable's name does not carry the section.
var keys = []key{
	duration(suite, "timeout", "how long the whole run may take", time.Second, day, func(s *Settings) *time.Duration { return &s.Suite.Timeout }),
	duration(suite, "poll-progress-after", "how long a step runs before its progress is printed, 0 for never", 0, day, func(s *Settings) *time.Duration { return &s.Suite.PollProgressAfter }),
	duration(suite, "poll-progress-interval", "how long until it is printed again, 0 for once only", 0, day, func(s *Settings) *time.Duration { return &s.Suite.PollProgressInterval }),
	duration(suite, "grace-period", "how long an interrupted step may take to end", ms, day, func(s *Settings) *time.Duration { return &s.Suite.GracePeriod }),
	toggle(suite, "randomize-all", "shuffle all specs, not only the top-level containers", func(s *Settings) *bool { return &s.Suite.RandomizeAll }),
	text(suite, "junit-report", "where the JUnit report goes", `a file, or "" for no report`, fileProblem, func(s *Settings) *string { return &s.Suite.JUnitReport }),
	choice(suite, "journals", "whose journals are written to files", whoseJournals, func(s *Settings) *string { return &s.Suite.Journals }),
	text(suite, "journal-folder", "where journals go", "a folder", folderProblem, func(s *Settings) *string { return &s.Suite.JournalFolder }),
	text(suite, "decisions", "where the decisions of the scheduler of goroutines go, in virtual time", `a folder, or "" for none`, anyText, func(s *Settings) *string { return &s.Suite.Decisions }),
	text(suite, "label-filter", "which specs run", `a Ginkgo label query such as suite:recovery && !speed:slow, or "" for every spec`, labelProblem, func(s *Settings) *string { return &s.Suite.LabelFilter }),
	duration(suite, "eventually-timeout", "how long Eventually waits", ms, day, func(s *Settings) *time.Duration { return &s.Suite.EventuallyTimeout }),
	duration(suite, "eventually-polling", "how long Eventually rests between two looks", ms, time.Minute, func(s *Settings) *time.Duration { return &s.Suite.EventuallyPolling }),
	duration(suite, "consistently-duration", "how long Consistently watches", ms, day, func(s *Settings) *time.Duration { return &s.Suite.ConsistentlyDuration }),
	duration(suite, "consistently-polling", "how long Consistently rests between two looks", ms, time.Minute, func(s *Settings) *time.Duration { return &s.Suite.ConsistentlyPolling }),

	choice(cluster, "target", "what runs the nodes", func(l limits) []string { return l.targets }, func(s *Settings) *string { return &s.Cluster.Target }),
	whole(cluster, "nodes", "how many nodes a cluster has", 1, 101, func(s *Settings) *int { return &s.Cluster.Nodes }),
	duration(cluster, "election-timeout", "how long a node waits for a leader before it stands for election", 10*ms, time.Minute, func(s *Settings) *time.Duration { return &s.Cluster.ElectionTimeout }),
	whole(cluster, "snapshot-threshold", "how many new log entries make a node take a snapshot", 1, unlimited, func(s *Settings) *uint64 { return &s.Cluster.SnapshotThreshold }),
	duration(cluster, "snapshot-interval", "how often a node looks whether it should", 5*ms, day, func(s *Settings) *time.Duration { return &s.Cluster.SnapshotInterval }),
	whole(cluster, "trailing-logs", "how many log entries stay behind a snapshot", 0, unlimited, func(s *Settings) *uint64 { return &s.Cluster.TrailingLogs }),
	duration(cluster, "write-timeout", "how long a node tries to commit before it answers 503", 10*ms, day, func(s *Settings) *time.Duration { return &s.Cluster.WriteTimeout }),
	duration(cluster, "latency", "how long a message travels in virtual time", 0, time.Minute, func(s *Settings) *time.Duration { return &s.Cluster.Latency }),
	duration(cluster, "jitter", "how much chance adds to latency at most", 0, time.Minute, func(s *Settings) *time.Duration { return &s.Cluster.Jitter }),
	choice(cluster, "log-level", "the least severe line a node logs", logLevels, func(s *Settings) *string { return &s.Cluster.LogLevel }),
	choice(cluster, "defect", "which bug is planted in it", func(l limits) []string { return l.defects }, func(s *Settings) *string { return &s.Cluster.Defect }),
	whole(cluster, "interleave", "which order goroutines run in, in virtual time", 0, unlimited, func(s *Settings) *uint64 { return &s.Cluster.Interleave }),
	chance(cluster, "yield", "how likely a goroutine yields at a channel, lock or pool, in virtual time", func(s *Settings) *float64 { return &s.Cluster.Yield }),
	size(cluster, "max-body", "the largest request body a node reads", 1, 1<<30, func(s *Settings) *int64 { return &s.Cluster.MaxBody }),
}

var sections = []string{suite, cluster}

func whoseJournals(limits) []string { return []string{"failed", "all", "none"} }

func logLevels(limits) []string {
	return []string{"trace", "debug", "info", "warn", "error", "off"}
}
