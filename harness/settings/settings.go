package settings

import (
	"time"

	"github.com/rejoin-db/rejoin/harness/target/described"
)

// Settings is the content of ginkgo.yml.
type Settings struct {
	Suite   Suite
	Cluster Cluster
	// Targets are the targets that the file describes, by name; nil if it describes none. See Described.
	Targets map[string]described.Target
}

// Suite is how Ginkgo and Gomega run the specs.
type Suite struct {
	// Timeout is how long the whole run may take: 1s to 24h.
	Timeout time.Duration
	// PollProgressAfter is how long a step of a spec may run before Ginkgo prints its progress: 0 (never) to 24h.
	PollProgressAfter time.Duration
	// PollProgressInterval is the time between further progress reports: 0 (once only) to 24h.
	PollProgressInterval time.Duration
	// GracePeriod is how long an interrupted step may take to end: 1ms to 24h.
	GracePeriod time.Duration
	// RandomizeAll shuffles the specs themselves, not only the top-level containers.
	RandomizeAll bool
	// JUnitReport is the file the JUnit report goes to, relative to the folder of the suite; empty for none.
	JUnitReport string
	// Report is the file for the page of the run, relative to the folder of the suite; "none" for no page. The pages of the
	// last runs are kept in the folder runs beside it.
	Report string
	// Journals says which journals are written to files: "failed" (those of failed specs), "all" or "none".
	Journals string
	// JournalFolder is the folder for them, relative to the folder of the suite.
	JournalFolder string
	// Decisions is an existing folder. Each spec in virtual time writes the scheduling decisions of its goroutines
	// and its random draws there; empty for none.
	Decisions string
	// LabelFilter selects specs by label, in Ginkgo's query language; empty for all.
	LabelFilter string
	// EventuallyTimeout is how long Eventually waits by default: 1ms to 24h, at least EventuallyPolling.
	EventuallyTimeout time.Duration
	// EventuallyPolling is the interval at which Eventually polls: 1ms to 1m.
	EventuallyPolling time.Duration
	// ConsistentlyDuration is how long Consistently polls by default: 1ms to 24h, at least ConsistentlyPolling.
	ConsistentlyDuration time.Duration
	// ConsistentlyPolling is the interval at which Consistently polls: 1ms to 1m.
	ConsistentlyPolling time.Duration
}

// Cluster describes the cluster that each spec gets.
type Cluster struct {
	// Target is the target that runs the nodes: one of the names given to [Targets].
	Target string
	// Nodes is the size of a cluster: 1 to 101.
	Nodes int
	// ElectionTimeout is how long a node waits for a leader before it stands for election: 10ms to 1m.
	// Raft's heartbeat timeout is the same.
	ElectionTimeout time.Duration
	// SnapshotThreshold is the number of new log entries after which a node takes a snapshot: 1 or more.
	SnapshotThreshold uint64
	// SnapshotInterval is how often a node checks whether a snapshot is due: 5ms to 24h.
	SnapshotInterval time.Duration
	// TrailingLogs is the number of log entries that a node keeps behind a snapshot, for slow followers: 0 or more.
	TrailingLogs uint64
	// WriteTimeout is how long a node tries to get a statement committed before it answers 503:
	// 10ms to 24h, at least ElectionTimeout.
	WriteTimeout time.Duration
	// LogLevel is the minimum level that a node logs: trace, debug, info, warn, error or off.
	LogLevel string
	// Latency is the minimum time that a message takes between two hosts in virtual time: 0 to 1m. Other targets
	// ignore it.
	Latency time.Duration
	// Jitter is the maximum random time added to Latency: 0 to 1m.
	Jitter time.Duration
	// Defect is the planted bug: "none", or one of the names given to [Defects].
	Defect string
	// Interleave selects the order of runnable goroutines in virtual time: 0 for the order in which they become
	// ready; each other number selects a different order. Other targets ignore it.
	Interleave uint64
	// Yield is the probability that a goroutine yields at an operation on a channel, a lock or a pool, in virtual
	// time: 0 to 1. Other targets ignore it.
	Yield float64
	// MaxBody is the largest request body a node reads, in bytes: 1 to 1GiB.
	MaxBody int64
}

// Default returns the defaults. The ginkgo.yml in the root of the module has the same values.
func Default() Settings {
	return Settings{
		Suite: Suite{
			Timeout:              20 * time.Minute,
			PollProgressAfter:    20 * time.Second,
			PollProgressInterval: 10 * time.Second,
			GracePeriod:          10 * time.Second,
			RandomizeAll:         true,
			Report:               "reports/index.html",
			Journals:             "failed",
			JournalFolder:        "reports/journals",
			EventuallyTimeout:    10 * time.Second,
			EventuallyPolling:    5 * time.Millisecond,
			ConsistentlyDuration: 200 * time.Millisecond,
			ConsistentlyPolling:  10 * time.Millisecond,
		},
		Cluster: Cluster{
			Target:            "local",
			Nodes:             3,
			ElectionTimeout:   50 * time.Millisecond,
			SnapshotThreshold: 256,
			SnapshotInterval:  50 * time.Millisecond,
			TrailingLogs:      64,
			WriteTimeout:      2 * time.Second,
			Latency:           500 * time.Microsecond,
			Jitter:            time.Millisecond,
			LogLevel:          "off",
			Defect:            "none",
			MaxBody:           16 << 20,
		},
	}
}
