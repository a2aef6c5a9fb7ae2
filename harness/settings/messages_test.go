package settings_test

import (
	"errors"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/settings"
)

const (
	suiteKeys = "timeout, poll-progress-after, poll-progress-interval, grace-period, randomize-all, junit-report, report, journals, " +
		"journal-folder, decisions, " +
		"label-filter, eventually-timeout, eventually-polling, consistently-duration, consistently-polling"
	clusterKeys = "target, nodes, election-timeout, snapshot-threshold, snapshot-interval, trailing-logs, " +
		"write-timeout, latency, jitter, log-level, defect, interleave, yield, max-body"
)

var _ = Describe("A message about the file", func() {
	DescribeTable("gives place, problem and allowed values",
		func(content string, lines ...string) {
			_, err := parse(content)
			Expect(err).To(HaveOccurred())
			Expect(strings.Split(err.Error(), "\n")).To(Equal(lines))
		},
		Entry("of a wrong type", "suite:\n  timeout: 1m\ncluster:\n  nodes: many\n",
			`ginkgo.yml:4:10: cluster.nodes: "many" is not a whole number; allowed: 1 to 101`),
		Entry("of a duration without a unit", "cluster: {election-timeout: 50}",
			`ginkgo.yml:1:29: cluster.election-timeout: "50" has no unit such as ms, s or m; allowed: 10ms to 1m`),
		Entry("of an unlimited number", "cluster: {snapshot-threshold: 0}",
			`ginkgo.yml:1:31: cluster.snapshot-threshold: 0 is out of range; allowed: 1 or more`),
		Entry("of a size", "cluster: {max-body: 16MB}",
			`ginkgo.yml:1:21: cluster.max-body: "16MB" is not a size; allowed: 1 to 1GiB, in bytes or with KiB, MiB or GiB`),
		Entry("of a chance", "cluster: {yield: 10%}",
			`ginkgo.yml:1:18: cluster.yield: "10%" is not a number; allowed: 0 to 1`),
		Entry("of a switch", "suite: {randomize-all: on}",
			`ginkgo.yml:1:24: suite.randomize-all: "on" is neither true nor false; allowed: true or false`),
		Entry("of a target", "cluster: {target: remote}",
			`ginkgo.yml:1:19: cluster.target: "remote" is not one of them; allowed: local, process`),
		Entry("of a log level", "cluster: {log-level: loud}",
			`ginkgo.yml:1:22: cluster.log-level: "loud" is not one of them; allowed: trace, debug, info, warn, error, off`),
		Entry("of a report", "suite:\n  junit-report:\n",
			`ginkgo.yml:2:16: suite.junit-report: the value is missing; allowed: a file, or "" for no report`),
		Entry("of a label query", "suite: {label-filter: 1}",
			`ginkgo.yml:1:23: suite.label-filter: 1 is not text: put it in quotes; `+
				`allowed: a Ginkgo label query such as suite:recovery && !speed:slow, or "" for every spec`),
		Entry("of a misspelt key", "cluster:\n  nodse: 3\n",
			`ginkgo.yml:2:3: cluster.nodse is not a setting; did you mean "nodes"? allowed: `+clusterKeys),
		Entry("of a key with letters swapped", "suite: {tmieotu: 1m}",
			`ginkgo.yml:1:9: suite.tmieotu is not a setting; did you mean "timeout"? allowed: `+suiteKeys),
		Entry("of a key in another spelling", "cluster: {ELECTION_TIMEOUT: 1s}",
			`ginkgo.yml:1:11: cluster.ELECTION_TIMEOUT is not a setting; did you mean "election-timeout"? allowed: `+clusterKeys),
		Entry("of a key without a similar one", "suite:\n  colour: red\n",
			`ginkgo.yml:2:3: suite.colour is not a setting; allowed: `+suiteKeys),
		Entry("of a key in the wrong section", "suite:\n  nodes: 3\n",
			`ginkgo.yml:2:3: suite.nodes is not a setting; did you mean "cluster.nodes"? allowed: `+suiteKeys),
		Entry("of a key in no section", "nodes: 3\n",
			`ginkgo.yml:1:1: nodes is not a section; did you mean "cluster.nodes"? allowed: suite, cluster, targets`),
		Entry("of a misspelt section", "clutser: {nodes: 3}\n",
			`ginkgo.yml:1:1: clutser is not a section; did you mean "cluster"? allowed: suite, cluster, targets`),
		Entry("of a key with a newline", `cluster: {"a\nb": 3}`,
			`ginkgo.yml:1:11: "cluster.a\nb" is not a setting; allowed: `+clusterKeys),
		Entry("of a key set twice", "cluster:\n  nodes: 3\n  target: local\n  nodes: 5\n",
			`ginkgo.yml:4:3: cluster.nodes is set twice, first in line 2; allowed: each name once`),
		Entry("of a section set twice", "cluster: {nodes: 3}\nsuite:\ncluster: {nodes: 5}\n",
			`ginkgo.yml:3:1: cluster is set twice, first in line 1; allowed: each name once`),
		Entry("of a section that is a value", "cluster: local\n",
			`ginkgo.yml:1:10: cluster is the single value "local"; allowed: the settings `+clusterKeys),
		Entry("of a section that is a list", "cluster:\n- nodes: 3\n",
			`ginkgo.yml:2:1: cluster is a list; allowed: the settings `+clusterKeys),
		Entry("of a key that is a list", "cluster:\n  ? [nodes]\n  : 3\n",
			`ginkgo.yml:2:5: a name is a list; allowed: a plain name`),
		Entry("of a file that is a list", "- nodes\n",
			`ginkgo.yml:1:1: the file is a list; allowed: the sections suite, cluster, targets`),
		Entry("of a file that is a value", "nodes\n",
			`ginkgo.yml:1:1: the file is the single value "nodes"; allowed: the sections suite, cluster, targets`),
		Entry("of a file with an anchor", "&all {suite: }\n",
			`ginkgo.yml:1:1: &all is an anchor; allowed: the sections suite, cluster, targets`),
		Entry("of anchors and aliases", "suite:\n  timeout: &t 1m\n  grace-period: *t\n",
			`ginkgo.yml:2:12: suite.timeout: &t is an anchor; allowed: 1s to 24h`,
			`ginkgo.yml:3:17: suite.grace-period: *t is an alias; allowed: 1ms to 24h`),
		Entry("of an anchored section", "suite: &s {}\ncluster: *s\n",
			`ginkgo.yml:1:8: suite: &s is an anchor; allowed: the settings `+suiteKeys,
			`ginkgo.yml:2:10: cluster: *s is an alias; allowed: the settings `+clusterKeys),
		Entry("of an anchored key", "&s suite: {}\n",
			`ginkgo.yml:1:1: &s is an anchor; allowed: a plain name`),
		Entry("of two documents", "suite:\n---\ncluster:\n",
			`ginkgo.yml:2:1: a second document starts here; allowed: one document`),
		Entry("of a file that is not YAML", "suite:\n\ttimeout: 1m\n",
			`ginkgo.yml:2:1: the file is not YAML: found character that cannot start any token`),
		Entry("of a control character", "suite: \x00",
			`ginkgo.yml: the file is not YAML: control characters are not allowed (value: 0)`),
		Entry("of a second document that is not YAML", "suite:\n---\n[",
			`ginkgo.yml:4:1: the file is not YAML: did not find expected node content`),
		Entry("of several problems, in line order",
			"cluster:\n  nodes: many\n  nodse: 3\nclutser: 1\nsuite:\n  timeout: soon\n",
			`ginkgo.yml:2:10: cluster.nodes: "many" is not a whole number; allowed: 1 to 101`,
			`ginkgo.yml:3:3: cluster.nodse is not a setting; did you mean "nodes"? allowed: `+clusterKeys,
			`ginkgo.yml:4:1: clutser is not a section; did you mean "cluster"? allowed: suite, cluster, targets`,
			`ginkgo.yml:6:12: suite.timeout: "soon" is not a duration; allowed: 1s to 24h`),
	)

	DescribeTable("does not appear for a file that sets nothing",
		func(content string) {
			Expect(parse(content)).To(Equal(settings.Default()))
		},
		Entry("because it is empty", ""),
		Entry("because it is blank", " \n\n"),
		Entry("because it has only comments", "# nodes: 3\n"),
		Entry("because its document is empty", "---\n"),
		Entry("because its sections are empty", "suite:\ncluster: {}\n"),
		Entry("because it is only a byte order mark", "\ufeff"),
	)

	It("unwraps into Error values", func() {
		_, err := parse("cluster:\n  nodse: 3\n  nodes: many\n")
		joined, ok := err.(interface{ Unwrap() []error })
		Expect(ok).To(BeTrue())
		Expect(joined.Unwrap()).To(HaveExactElements(
			&settings.Error{
				Source: "ginkgo.yml:2:3", Key: "cluster.nodse",
				Problem: `cluster.nodse is not a setting; did you mean "nodes"?`, Allowed: clusterKeys,
			},
			&settings.Error{
				Source: "ginkgo.yml:3:10", Key: "cluster.nodes",
				Problem: `cluster.nodes: "many" is not a whole number`, Allowed: "1 to 101",
			},
		))
	})

	It("shortens a long value or name", func() {
		_, err := parse("cluster: {nodes: " + strings.Repeat("x", 1000) + ", " + strings.Repeat("y", 1000) + ": 1}")
		for line := range strings.SplitSeq(err.Error(), "\n") {
			Expect(len(line)).To(BeNumerically("<", 300))
		}
	})
})

var _ = Describe("A message about the environment or a flag", func() {
	It("names it", func() {
		_, err := parse("",
			environment("REJOIN_NODES=many", "REJOIN_TIMEOUT=", "HOME=/root"),
			commandLine("-rejoin.nodes=0", "-rejoin.max-body=1MB"))
		Expect(strings.Split(err.Error(), "\n")).To(HaveExactElements(
			`environment variable REJOIN_TIMEOUT: suite.timeout: "" is not a duration; allowed: 1s to 24h`,
			`environment variable REJOIN_NODES: cluster.nodes: "many" is not a whole number; allowed: 1 to 101`,
			`flag -rejoin.nodes: cluster.nodes: 0 is out of range; allowed: 1 to 101`,
			`flag -rejoin.max-body: cluster.max-body: "1MB" is not a size; allowed: 1 to 1GiB, in bytes or with KiB, MiB or GiB`,
		))
	})

	It("comes after messages about the file", func() {
		_, err := parse("cluster: {nodes: 0}", commandLine("-rejoin.nodes=0"), environment("REJOIN_NODES=0"))
		Expect(strings.Split(err.Error(), "\n")).To(HaveExactElements(
			HavePrefix("ginkgo.yml:1:18: "), HavePrefix("environment variable REJOIN_NODES: "), HavePrefix("flag -rejoin.nodes: ")))
	})

	It("suggests a variable", func() {
		_, err := parse("", environment("REJOIN_NODSE=5"))
		Expect(err).To(MatchError(HavePrefix(`environment variable REJOIN_NODSE: no setting has this name; ` +
			`did you mean "REJOIN_NODES"? allowed: REJOIN_TIMEOUT, `)))

		_, err = parse("", environment("REJOIN_FAVOURITE_COLOUR=red"))
		Expect(err).To(MatchError(HavePrefix(`environment variable REJOIN_FAVOURITE_COLOUR: no setting has this name; ` +
			`allowed: REJOIN_TIMEOUT, `)))
	})

	It("does not appear for variables that the caller names or that have a different prefix", func() {
		Expect(parse("",
			environment("REJOIN_ALWAYS_JOURNAL=1", "REJOINED=1", "=C:=C:\\", "PATH", "REJOIN=1"),
			settings.Variables("REJOIN_ALWAYS_JOURNAL"))).To(Equal(settings.Default()))
	})

	It("does not appear for a setting that an empty variable turns off", func() {
		loaded, err := parse("suite: {junit-report: a.xml, label-filter: a}",
			environment("REJOIN_JUNIT_REPORT=", "REJOIN_LABEL_FILTER="))
		Expect(err).NotTo(HaveOccurred())
		Expect(loaded.Suite.JUnitReport).To(BeEmpty())
		Expect(loaded.Suite.LabelFilter).To(BeEmpty())
	})
})

var _ = Describe("A message about a target", func() {
	It("lists the caller's targets", func() {
		_, err := settings.Parse("", nil, environment("REJOIN_TARGET=process"))
		Expect(err).To(MatchError(`environment variable REJOIN_TARGET: cluster.target: "process" is not one of them; allowed: local`))
	})

	It("appears if the caller does not have the default target", func() {
		_, err := settings.Parse("ginkgo.yml", nil, settings.Targets("theirs"))
		Expect(err).To(MatchError(`default: cluster.target: "local" is not one of them; allowed: theirs`))

		Expect(settings.Parse("ginkgo.yml", []byte("cluster: {target: theirs}"), settings.Targets("theirs"))).
			To(HaveField("Cluster.Target", "theirs"))
	})
})

var _ = Describe("A message about two settings", func() {
	DescribeTable("says where each of them was set",
		func(content string, message string, options ...settings.Option) {
			_, err := parse(content, options...)
			var told *settings.Error
			Expect(errors.As(err, &told)).To(BeTrue(), "got %v", err)
			Expect(err).To(MatchError(message))
		},
		Entry("both in the file", "cluster:\n  write-timeout: 50ms\n  election-timeout: 51ms\n",
			`ginkgo.yml:2:18: cluster.write-timeout: 50ms is shorter than cluster.election-timeout, `+
				`which is 51ms (ginkgo.yml:3:21); allowed: 51ms or longer`),
		Entry("the longer a default", "cluster: {election-timeout: 3s}",
			`ginkgo.yml:1:29: cluster.write-timeout: the default of 2s is shorter than cluster.election-timeout, `+
				`which is 3s (ginkgo.yml:1:29); allowed: 3s or longer`),
		Entry("the shorter a default", "suite: {eventually-timeout: 4ms}",
			`ginkgo.yml:1:29: suite.eventually-timeout: 4ms is shorter than suite.eventually-polling, `+
				`which is 5ms (default); allowed: 5ms or longer`),
		Entry("in different places", "suite: {consistently-polling: 1s}",
			`environment variable REJOIN_CONSISTENTLY_DURATION: suite.consistently-duration: 999ms is shorter than `+
				`suite.consistently-polling, which is 1s (ginkgo.yml:1:31); allowed: 1s or longer`,
			environment("REJOIN_CONSISTENTLY_DURATION=999ms")),
	)

	It("does not appear if they are equal", func() {
		Expect(parse("cluster: {write-timeout: 50ms}")).To(HaveField("Cluster.WriteTimeout", settings.Default().Cluster.ElectionTimeout))
	})

	It("appears only if each is valid by itself", func() {
		_, err := parse("cluster: {write-timeout: 10ms, nodes: 0}")
		Expect(err).To(MatchError(HavePrefix("ginkgo.yml:1:39: cluster.nodes: 0 is out of range")))
	})
})
