package settings_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/settings"
)

// FuzzParse looks for input for which Parse returns neither valid settings nor well-formed [settings.Error] values.
func FuzzParse(f *testing.F) {
	shipped, err := os.ReadFile("../../ginkgo.yml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(shipped, "REJOIN_NODES", "5")
	for _, content := range []string{
		"", "---\n---\n", "suite: {timeout: 1m, timeout: 2m}", "cluster: {nodes: &n 3, max-body: *n}", "<<: {nodes: 3}",
		"cluster: {max-body: 1GiB, election-timeout: 1m}", "? [a, b]\n: {c: d}", "suite: !!map {label-filter: '(a || b'}",
		"%YAML 1.1\n--- |\n x", "suite: {poll-progress-after: 1e9}", "\xff\xfes\x00", "cluster: {nodes: 9223372036854775808}",
	} {
		f.Add([]byte(content), "REJOIN_MAX_BODY", "9223372036854775807KiB")
	}
	f.Add([]byte(nil), "REJOIN_LABEL_FILTER", "key: isSubsetOf {a, b} && /re(/")
	f.Add([]byte(nil), "REJOIN_NODSE", "")

	f.Fuzz(func(t *testing.T, content []byte, name, value string) {
		loaded, err := settings.Parse("ginkgo.yml", content, settings.Environment(
			func(asked string) (string, bool) { return value, asked == name },
			[]string{name + "=" + value}))
		if err == nil {
			if problem := impossible(loaded); problem != "" {
				t.Fatalf("%s in %+v", problem, loaded)
			}
			return
		}
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Fatalf("the problems are not joined: %v", err)
		}
		for _, err := range joined.Unwrap() {
			var told *settings.Error
			if !errors.As(err, &told) || told.Source == "" || told.Problem == "" || strings.Contains(told.Problem, "\n") {
				t.Fatalf("not a sentence about a place: %q", err)
			}
		}
	})
}

// impossible names a field outside the range that [settings.Settings] documents. It repeats the ranges by hand.
func impossible(s settings.Settings) string {
	within := func(d, least, most time.Duration) bool { return least <= d && d <= most }
	const ms, day = time.Millisecond, 24 * time.Hour
	label := s.Suite.LabelFilter == ""
	if !label {
		_, err := types.ParseLabelFilter(s.Suite.LabelFilter)
		label = err == nil
	}
	for problem, fine := range map[string]bool{
		"timeout":                within(s.Suite.Timeout, time.Second, day),
		"poll-progress-after":    within(s.Suite.PollProgressAfter, 0, day),
		"poll-progress-interval": within(s.Suite.PollProgressInterval, 0, day),
		"grace-period":           within(s.Suite.GracePeriod, ms, day),
		"junit-report":           !strings.HasSuffix(s.Suite.JUnitReport, "/"),
		"report":                 s.Suite.Report != "" && !strings.HasSuffix(s.Suite.Report, "/"),
		"journals":               slices.Contains([]string{"failed", "all", "none"}, s.Suite.Journals),
		"journal-folder":         s.Suite.JournalFolder != "",
		"label-filter":           label,
		"eventually-timeout":     within(s.Suite.EventuallyTimeout, s.Suite.EventuallyPolling, day),
		"eventually-polling":     within(s.Suite.EventuallyPolling, ms, time.Minute),
		"consistently-duration":  within(s.Suite.ConsistentlyDuration, s.Suite.ConsistentlyPolling, day),
		"consistently-polling":   within(s.Suite.ConsistentlyPolling, ms, time.Minute),
		"target":                 s.Cluster.Target == "local",
		"nodes":                  1 <= s.Cluster.Nodes && s.Cluster.Nodes <= 101,
		"election-timeout":       within(s.Cluster.ElectionTimeout, 10*ms, time.Minute),
		"snapshot-threshold":     s.Cluster.SnapshotThreshold >= 1,
		"snapshot-interval":      within(s.Cluster.SnapshotInterval, 5*ms, day),
		"trailing-logs":          s.Cluster.TrailingLogs <= 1<<63-1,
		"write-timeout":          within(s.Cluster.WriteTimeout, s.Cluster.ElectionTimeout, day),
		"latency":                within(s.Cluster.Latency, 0, time.Minute),
		"jitter":                 within(s.Cluster.Jitter, 0, time.Minute),
		"log-level":              slices.Contains([]string{"trace", "debug", "info", "warn", "error", "off"}, s.Cluster.LogLevel),
		"defect":                 s.Cluster.Defect == "none",
		"interleave":             s.Cluster.Interleave <= 1<<63-1,
		"yield":                  0 <= s.Cluster.Yield && s.Cluster.Yield <= 1,
		"max-body":               1 <= s.Cluster.MaxBody && s.Cluster.MaxBody <= 1<<30,
	} {
		if !fine {
			return problem
		}
	}
	return ""
}
