package settings

import "time"

// Settings is everything ginkgo.yml can say.
type Settings struct {
	Suite   Suite
	Cluster Cluster
}

// Suite is how Ginkgo and Gomega run the specs.
type Suite struct {
	// Timeout is how long the whole run may take: 1s to 24h.
	Timeout time.Duration
	// PollProgressAfter is how long one step of a spec may run before Ginkgo prints where it is: 0 (never) to 24h.
	PollProgressAfter time.Duration
	// PollProgressInterval is how long until it prints that again: 0 (once only) to 24h.
	PollProgressInterval time.Duration
	// GracePeriod is how long an interrupted step may take to come to its end: 1ms to 24h.
	GracePeriod time.Duration
	// RandomizeAll shuffles the specs themselves, not only the top-level containers.
	RandomizeAll bool
	// JUnitReport is the file the JUnit report goes to, relative to the folder of the suite; empty for none.
	JUnitReport string
	// Journals are those that are written to files: of the specs that failed, of all, or none.
	Journals string
	// JournalFolder is where they go, relative to the folder of the suite.
	JournalFolder string
	// Decisions is the folder to which each spec in virtual time writes what the scheduler of its goroutines decided,
	// and what was drawn at random; empty for none. It must be there.
	Decisions string
	// LabelFilter picks specs by their labels, in Ginkgo's query language; empty for all.
	LabelFilter string
	// EventuallyTimeout is how long Eventually waits by default: 1ms to 24h, at least EventuallyPolling.
	EventuallyTimeout time.Duration
	// EventuallyPolling is how long Eventually rests between two looks: 1ms to 1m.
	EventuallyPolling time.Duration
	// ConsistentlyDuration is how long Consistently watches by default: 1ms to 24h, at least ConsistentlyPolling.
	ConsistentlyDuration time.Duration
	// ConsistentlyPolling is how long Consistently rests between two looks: 1ms to 1m.
	ConsistentlyPolling time.Duration
}

// Cluster is the cluster each spec is given.
type Cluster struct {
	// Target is what runs the nodes: one of the names given to [Targets].
	Target string
	// Nodes is the size of a cluster: 1 to 101.
	Nodes int
	// ElectionTimeout is how long a node waits for a leader before it stands for election: 10ms to 1m.
	// Raft's heartbeat timeout is the same.
	ElectionTimeout time.Duration
	// SnapshotThreshold is how many log entries must be new before a node takes a snapshot: 1 or more.
	SnapshotThreshold uint64
	// SnapshotInterval is how often a node looks whether it should: 5ms to 24h.
	SnapshotInterval time.Duration
	// TrailingLogs is how many log entries stay behind a snapshot, for followers that are a little late: 0 or more.
	TrailingLogs uint64
	// WriteTimeout is how long a node tries to get a statement committed before it answers 503:
	// 10ms to 24h, at least ElectionTimeout.
	WriteTimeout time.Duration
	// LogLevel is the least severe line a node logs: trace, debug, info, warn, error or off.
	LogLevel string
	// Latency is how long a message travels between two hosts in virtual time: 0 to 1m. Other targets have no use for it.
	Latency time.Duration
	// Jitter is the most that chance adds to it: 0 to 1m.
	Jitter time.Duration
	// Defect is the bug that is planted in the cluster: "none", or one of the names given to [Defects].
	Defect string
	// Interleave is which order goroutines run in that could run in any, in virtual time: 0, in which each runs when it
	// is ready, or the number of another. Other targets have no use for it.
	Interleave uint64
	// Yield is how likely a goroutine lets others run at each operation on a channel, a lock or a pool, in virtual
	// time: 0 to 1. Other targets have no use for it.
	Yield float64
	// MaxBody is the largest request body a node reads, in bytes: 1 to 1GiB.
	MaxBody int64
}

// Default is what a setting is where nobody sets it. The ginkgo.yml in the root of the module says the same.
func Default() Settings {
	return Settings{
		Suite: Suite{
			Timeout:              20 * time.Minute,
			PollProgressAfter:    20 * time.Second,
			PollProgressInterval: 10 * time.Second,
			GracePeriod:          10 * time.Second,
			RandomizeAll:         true,
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
