package settings_test

import (
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/settings"
)

func TestSettings(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Settings")
}

// field reads a setting by its path.
var field = map[string]func(settings.Settings) any{
	"suite.timeout":                func(s settings.Settings) any { return s.Suite.Timeout },
	"suite.poll-progress-after":    func(s settings.Settings) any { return s.Suite.PollProgressAfter },
	"suite.poll-progress-interval": func(s settings.Settings) any { return s.Suite.PollProgressInterval },
	"suite.grace-period":           func(s settings.Settings) any { return s.Suite.GracePeriod },
	"suite.randomize-all":          func(s settings.Settings) any { return s.Suite.RandomizeAll },
	"suite.junit-report":           func(s settings.Settings) any { return s.Suite.JUnitReport },
	"suite.report":                 func(s settings.Settings) any { return s.Suite.Report },
	"suite.journals":               func(s settings.Settings) any { return s.Suite.Journals },
	"suite.journal-folder":         func(s settings.Settings) any { return s.Suite.JournalFolder },
	"suite.decisions":              func(s settings.Settings) any { return s.Suite.Decisions },
	"suite.label-filter":           func(s settings.Settings) any { return s.Suite.LabelFilter },
	"suite.eventually-timeout":     func(s settings.Settings) any { return s.Suite.EventuallyTimeout },
	"suite.eventually-polling":     func(s settings.Settings) any { return s.Suite.EventuallyPolling },
	"suite.consistently-duration":  func(s settings.Settings) any { return s.Suite.ConsistentlyDuration },
	"suite.consistently-polling":   func(s settings.Settings) any { return s.Suite.ConsistentlyPolling },
	"cluster.target":               func(s settings.Settings) any { return s.Cluster.Target },
	"cluster.nodes":                func(s settings.Settings) any { return s.Cluster.Nodes },
	"cluster.election-timeout":     func(s settings.Settings) any { return s.Cluster.ElectionTimeout },
	"cluster.snapshot-threshold":   func(s settings.Settings) any { return s.Cluster.SnapshotThreshold },
	"cluster.snapshot-interval":    func(s settings.Settings) any { return s.Cluster.SnapshotInterval },
	"cluster.trailing-logs":        func(s settings.Settings) any { return s.Cluster.TrailingLogs },
	"cluster.write-timeout":        func(s settings.Settings) any { return s.Cluster.WriteTimeout },
	"cluster.latency":              func(s settings.Settings) any { return s.Cluster.Latency },
	"cluster.jitter":               func(s settings.Settings) any { return s.Cluster.Jitter },
	"cluster.log-level":            func(s settings.Settings) any { return s.Cluster.LogLevel },
	"cluster.defect":               func(s settings.Settings) any { return s.Cluster.Defect },
	"cluster.interleave":           func(s settings.Settings) any { return s.Cluster.Interleave },
	"cluster.yield":                func(s settings.Settings) any { return s.Cluster.Yield },
	"cluster.max-body":             func(s settings.Settings) any { return s.Cluster.MaxBody },
}

// parse reads a ginkgo.yml given as text, with the targets local and process and three defects.
func parse(content string, options ...settings.Option) (settings.Settings, error) {
	return settings.Parse("ginkgo.yml", []byte(content),
		append(options, settings.Targets("local", "process"), settings.Defects("a-bug", "another", "a-third"))...)
}

// environment is an environment that consists of these variables.
func environment(entries ...string) settings.Option {
	values := map[string]string{}
	for _, entry := range entries {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	return settings.Environment(func(name string) (string, bool) {
		value, found := values[name]
		return value, found
	}, entries)
}
