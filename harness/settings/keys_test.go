package settings_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/settings"
)

// written is a file that sets one key. It also sets the key's counterpart in constraints to a value that is
// valid with any value of the key.
func written(path, value string) string {
	section, name, _ := strings.Cut(path, ".")
	neighbours := map[string]string{
		"suite.eventually-timeout":    "eventually-polling: 1ms",
		"suite.eventually-polling":    "eventually-timeout: 24h",
		"suite.consistently-duration": "consistently-polling: 1ms",
		"suite.consistently-polling":  "consistently-duration: 24h",
		"cluster.election-timeout":    "write-timeout: 24h",
		"cluster.write-timeout":       "election-timeout: 10ms",
	}
	return fmt.Sprintf("%s:\n  %s: %s\n  %s\n", section, name, value, neighbours[path])
}

var _ = Describe("A setting", func() {
	DescribeTable("accepts values up to the bounds of its range",
		func(path, value string, wanted any) {
			loaded, err := parse(written(path, value))
			Expect(err).NotTo(HaveOccurred())
			Expect(field[path](loaded)).To(Equal(wanted))
		},
		func(path, value string, _ any) string { return path + ": " + value },
		Entry(nil, "suite.timeout", "1s", time.Second),
		Entry(nil, "suite.timeout", "1h30m", 90*time.Minute),
		Entry(nil, "suite.timeout", "24h", 24*time.Hour),
		Entry(nil, "suite.poll-progress-after", "0", time.Duration(0)),
		Entry(nil, "suite.poll-progress-after", "0s", time.Duration(0)),
		Entry(nil, "suite.poll-progress-after", "24h", 24*time.Hour),
		Entry(nil, "suite.poll-progress-interval", "0", time.Duration(0)),
		Entry(nil, "suite.poll-progress-interval", "24h", 24*time.Hour),
		Entry(nil, "suite.grace-period", "1ms", time.Millisecond),
		Entry(nil, "suite.grace-period", "24h", 24*time.Hour),
		Entry(nil, "suite.randomize-all", "true", true),
		Entry(nil, "suite.randomize-all", "false", false),
		Entry(nil, "suite.junit-report", `""`, ""),
		Entry(nil, "suite.junit-report", "reports/junit.xml", "reports/junit.xml"),
		Entry(nil, "suite.junit-report", `"7"`, "7"),
		Entry(nil, "suite.report", "none", "none"),
		Entry(nil, "suite.report", "made/page.html", "made/page.html"),
		Entry(nil, "suite.journals", "failed", "failed"),
		Entry(nil, "suite.journals", "all", "all"),
		Entry(nil, "suite.journals", "none", "none"),
		Entry(nil, "suite.journal-folder", "reports/j", "reports/j"),
		Entry(nil, "suite.decisions", "reports/d", "reports/d"),
		Entry(nil, "suite.decisions", `""`, ""),
		Entry(nil, "suite.label-filter", `""`, ""),
		Entry(nil, "suite.label-filter", `"suite:recovery && !speed:slow"`, "suite:recovery && !speed:slow"),
		Entry(nil, "suite.eventually-timeout", "1ms", time.Millisecond),
		Entry(nil, "suite.eventually-timeout", "24h", 24*time.Hour),
		Entry(nil, "suite.eventually-polling", "1ms", time.Millisecond),
		Entry(nil, "suite.eventually-polling", "1m", time.Minute),
		Entry(nil, "suite.consistently-duration", "1ms", time.Millisecond),
		Entry(nil, "suite.consistently-duration", "24h", 24*time.Hour),
		Entry(nil, "suite.consistently-polling", "1ms", time.Millisecond),
		Entry(nil, "suite.consistently-polling", "1m", time.Minute),
		Entry(nil, "cluster.target", "local", "local"),
		Entry(nil, "cluster.target", `"process"`, "process"),
		Entry(nil, "cluster.nodes", "1", 1),
		Entry(nil, "cluster.nodes", "101", 101),
		Entry(nil, "cluster.election-timeout", "10ms", 10*time.Millisecond),
		Entry(nil, "cluster.election-timeout", "1m", time.Minute),
		Entry(nil, "cluster.snapshot-threshold", "1", uint64(1)),
		Entry(nil, "cluster.snapshot-threshold", "9223372036854775807", uint64(1<<63-1)),
		Entry(nil, "cluster.snapshot-interval", "5ms", 5*time.Millisecond),
		Entry(nil, "cluster.snapshot-interval", `"120s"`, 2*time.Minute),
		Entry(nil, "cluster.snapshot-interval", "24h", 24*time.Hour),
		Entry(nil, "cluster.trailing-logs", "0", uint64(0)),
		Entry(nil, "cluster.trailing-logs", "10240", uint64(10240)),
		Entry(nil, "cluster.write-timeout", "10ms", 10*time.Millisecond),
		Entry(nil, "cluster.write-timeout", "24h", 24*time.Hour),
		Entry(nil, "cluster.latency", "0", time.Duration(0)),
		Entry(nil, "cluster.latency", "0.5ms", 500*time.Microsecond),
		Entry(nil, "cluster.latency", "1m", time.Minute),
		Entry(nil, "cluster.jitter", "0", time.Duration(0)),
		Entry(nil, "cluster.jitter", "1m", time.Minute),
		Entry(nil, "cluster.log-level", "trace", "trace"),
		Entry(nil, "cluster.log-level", "debug", "debug"),
		Entry(nil, "cluster.log-level", "info", "info"),
		Entry(nil, "cluster.log-level", "warn", "warn"),
		Entry(nil, "cluster.log-level", "error", "error"),
		Entry(nil, "cluster.log-level", "off", "off"),
		Entry(nil, "cluster.defect", "none", "none"),
		Entry(nil, "cluster.defect", "a-bug", "a-bug"),
		Entry(nil, "cluster.interleave", "0", uint64(0)),
		Entry(nil, "cluster.interleave", "9223372036854775807", uint64(1<<63-1)),
		Entry(nil, "cluster.yield", "0", 0.0),
		Entry(nil, "cluster.yield", "0.05", 0.05),
		Entry(nil, "cluster.yield", ".5", 0.5),
		Entry(nil, "cluster.yield", "1", 1.0),
		Entry(nil, "cluster.max-body", "1", int64(1)),
		Entry(nil, "cluster.max-body", "1024", int64(1024)),
		Entry(nil, "cluster.max-body", "64KiB", int64(64<<10)),
		Entry(nil, "cluster.max-body", "16MiB", int64(16<<20)),
		Entry(nil, "cluster.max-body", "1GiB", int64(1<<30)),
		Entry(nil, "cluster.max-body", "1073741824", int64(1<<30)),
	)

	DescribeTable("rejects values out of range or of the wrong type",
		func(path, value, problem string) {
			_, err := parse(written(path, value))
			var told *settings.Error
			Expect(errors.As(err, &told)).To(BeTrue(), "got %v", err)
			Expect(told.Key).To(Equal(path))
			Expect(told.Problem).To(Equal(path + ": " + problem))
			Expect(told.Allowed).NotTo(BeEmpty())
		},
		func(path, value, _ string) string { return path + ": " + value },
		Entry(nil, "suite.timeout", "999ms", "999ms is out of range"),
		Entry(nil, "suite.timeout", "24h1ns", "24h1ns is out of range"),
		Entry(nil, "suite.timeout", "10", `"10" has no unit such as ms, s or m`),
		Entry(nil, "suite.timeout", "soon", `"soon" is not a duration`),
		Entry(nil, "suite.timeout", "9999999h", `"9999999h" is not a duration`),
		Entry(nil, "suite.poll-progress-after", "-1s", "-1s is out of range"),
		Entry(nil, "suite.poll-progress-interval", "1.5", `"1.5" has no unit such as ms, s or m`),
		Entry(nil, "suite.grace-period", "0", "0 is out of range"),
		Entry(nil, "suite.grace-period", "[1s]", "the value is a list"),
		Entry(nil, "suite.randomize-all", "yes", `"yes" is neither true nor false`),
		Entry(nil, "suite.randomize-all", "TRUE", `"TRUE" is neither true nor false`),
		Entry(nil, "suite.randomize-all", `"true"`, `"true" is text: remove the quotes`),
		Entry(nil, "suite.report", `""`, "no file given"),
		Entry(nil, "suite.report", "pages/", `"pages/" is a folder, not a file`),
		Entry(nil, "suite.journals", "some", `"some" is not one of them`),
		Entry(nil, "suite.journal-folder", `""`, "no folder given"),
		Entry(nil, "suite.junit-report", "true", "true is not text: put it in quotes"),
		Entry(nil, "suite.junit-report", "reports/", `"reports/" is a folder, not a file`),
		Entry(nil, "suite.junit-report", "", "the value is missing"),
		Entry(nil, "suite.label-filter", "5", "5 is not text: put it in quotes"),
		Entry(nil, "suite.label-filter", `"a &&"`, `"a &&" is not a label query: Unexpected EOF.`),
		Entry(nil, "suite.eventually-timeout", "0", "0 is out of range"),
		Entry(nil, "suite.eventually-polling", "61s", "61s is out of range"),
		Entry(nil, "suite.consistently-duration", "{a: 1s}", "the value is a mapping"),
		Entry(nil, "suite.consistently-polling", "1h", "1h is out of range"),
		Entry(nil, "cluster.target", "remote", `"remote" is not one of them`),
		Entry(nil, "cluster.target", `""`, `"" is not one of them`),
		Entry(nil, "cluster.nodes", "0", "0 is out of range"),
		Entry(nil, "cluster.nodes", "102", "102 is out of range"),
		Entry(nil, "cluster.nodes", "-3", "-3 is out of range"),
		Entry(nil, "cluster.nodes", "99999999999999999999", "99999999999999999999 is out of range"),
		Entry(nil, "cluster.nodes", "many", `"many" is not a whole number`),
		Entry(nil, "cluster.nodes", "3.0", `"3.0" is not a whole number`),
		Entry(nil, "cluster.nodes", "0x3", `"0x3" is not a whole number`),
		Entry(nil, "cluster.nodes", `"3"`, `"3" is text: remove the quotes`),
		Entry(nil, "cluster.nodes", "~", "the value is missing"),
		Entry(nil, "cluster.nodes", "!!int 3", "!!int is a tag"),
		Entry(nil, "cluster.nodes", "&size 3", "&size is an anchor"),
		Entry(nil, "cluster.election-timeout", "9ms", "9ms is out of range"),
		Entry(nil, "cluster.election-timeout", "61s", "61s is out of range"),
		Entry(nil, "cluster.snapshot-threshold", "0", "0 is out of range"),
		Entry(nil, "cluster.snapshot-threshold", "9223372036854775808", "9223372036854775808 is out of range"),
		Entry(nil, "cluster.snapshot-interval", "4ms", "4ms is out of range"),
		Entry(nil, "cluster.trailing-logs", "-1", "-1 is out of range"),
		Entry(nil, "cluster.write-timeout", "9ms", "9ms is out of range"),
		Entry(nil, "cluster.latency", "61s", "61s is out of range"),
		Entry(nil, "cluster.latency", "-1ms", "-1ms is out of range"),
		Entry(nil, "cluster.jitter", "61s", "61s is out of range"),
		Entry(nil, "cluster.jitter", "1", `"1" has no unit such as ms, s or m`),
		Entry(nil, "cluster.defect", "a-bag", `"a-bag" is not one of them`),
		Entry(nil, "cluster.log-level", "warning", `"warning" is not one of them`),
		Entry(nil, "cluster.interleave", "-1", "-1 is out of range"),
		Entry(nil, "cluster.interleave", "1.5", `"1.5" is not a whole number`),
		Entry(nil, "cluster.yield", "1.01", "1.01 is out of range"),
		Entry(nil, "cluster.yield", "-0.1", "-0.1 is out of range"),
		Entry(nil, "cluster.yield", ".nan", `".nan" is not a number`),
		Entry(nil, "cluster.yield", "NaN", `"NaN" is not a number`),
		Entry(nil, "cluster.yield", "0x1p-2", `"0x1p-2" is not a number`),
		Entry(nil, "cluster.yield", "often", `"often" is not a number`),
		Entry(nil, "cluster.yield", `"0.5"`, `"0.5" is text: remove the quotes`),
		Entry(nil, "cluster.max-body", "0", "0 is out of range"),
		Entry(nil, "cluster.max-body", "-1KiB", "-1KiB is out of range"),
		Entry(nil, "cluster.max-body", "2GiB", "2GiB is out of range"),
		Entry(nil, "cluster.max-body", "9223372036854775807GiB", "9223372036854775807GiB is out of range"),
		// 2^34+1 GiB: the product overflows 64 bits and wraps around to 1GiB.
		Entry(nil, "cluster.max-body", "17179869185GiB", "17179869185GiB is out of range"),
		Entry(nil, "cluster.max-body", "16MB", `"16MB" is not a size`),
		Entry(nil, "cluster.max-body", "KiB", `"KiB" is not a size`),
		Entry(nil, "cluster.max-body", "1.5KiB", `"1.5KiB" is not a size`),
	)

	It("has an entry in the table of these tests", func() {
		var known []string
		for _, section := range []string{"suite", "cluster"} {
			_, err := parse(section + ":\n  no-such-key: 1\n")
			var told *settings.Error
			Expect(errors.As(err, &told)).To(BeTrue())
			for name := range strings.SplitSeq(told.Allowed, ", ") {
				known = append(known, section+"."+name)
			}
		}
		Expect(field).To(HaveLen(len(known)))
		for _, path := range known {
			Expect(field).To(HaveKey(path))
		}
	})
})
