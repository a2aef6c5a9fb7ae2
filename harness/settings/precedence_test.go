package settings_test

import (
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/settings"
)

// commandLine is the option that Flags returns, after these arguments were parsed.
func commandLine(arguments ...string) settings.Option {
	GinkgoHelper()
	set := flag.NewFlagSet("test", flag.ContinueOnError)
	option := settings.Flags(set)
	Expect(set.Parse(arguments)).To(Succeed())
	return option
}

func variable(path string) string {
	_, name, _ := strings.Cut(path, ".")
	return "REJOIN_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

var _ = Describe("Precedence", func() {
	DescribeTable("is flag, variable, file, default",
		func(path, inFile string, fromFile any, inVariable string, fromVariable any, inFlag string, fromFlag any) {
			file := written(path, inFile)

			loaded, err := parse("")
			Expect(err).NotTo(HaveOccurred())
			Expect(field[path](loaded)).To(Equal(field[path](settings.Default())))
			Expect(field[path](loaded)).NotTo(BeElementOf(fromFile, fromVariable, fromFlag))

			loaded, err = parse(file)
			Expect(err).NotTo(HaveOccurred())
			Expect(field[path](loaded)).To(Equal(fromFile))

			environment := environment(variable(path) + "=" + inVariable)
			loaded, err = parse(file, environment)
			Expect(err).NotTo(HaveOccurred())
			Expect(field[path](loaded)).To(Equal(fromVariable))

			section, name, _ := strings.Cut(path, ".")
			if section == "suite" {
				return
			}
			loaded, err = parse(file, commandLine("-rejoin."+name+"="+inFlag), environment)
			Expect(err).NotTo(HaveOccurred())
			Expect(field[path](loaded)).To(Equal(fromFlag))
		},
		func(path, _ string, _ any, _ string, _ any, _ string, _ any) string { return path },
		Entry(nil, "suite.timeout", "2s", 2*time.Second, "3s", 3*time.Second, "", nil),
		Entry(nil, "suite.poll-progress-after", "2s", 2*time.Second, "0", time.Duration(0), "", nil),
		Entry(nil, "suite.poll-progress-interval", "2s", 2*time.Second, "0", time.Duration(0), "", nil),
		Entry(nil, "suite.grace-period", "2s", 2*time.Second, "3s", 3*time.Second, "", nil),
		Entry(nil, "suite.junit-report", "a.xml", "a.xml", "b.xml", "b.xml", "", nil),
		Entry(nil, "suite.report", "a.html", "a.html", "none", "none", "", nil),
		Entry(nil, "suite.journals", "all", "all", "none", "none", "", nil),
		Entry(nil, "suite.journal-folder", "a", "a", "b", "b", "", nil),
		Entry(nil, "suite.decisions", "a", "a", "b", "b", "", nil),
		Entry(nil, "suite.label-filter", "a", "a", "b", "b", "", nil),
		Entry(nil, "suite.eventually-timeout", "2s", 2*time.Second, "3s", 3*time.Second, "", nil),
		Entry(nil, "suite.eventually-polling", "2s", 2*time.Second, "3s", 3*time.Second, "", nil),
		Entry(nil, "suite.consistently-duration", "2s", 2*time.Second, "3s", 3*time.Second, "", nil),
		Entry(nil, "suite.consistently-polling", "2s", 2*time.Second, "3s", 3*time.Second, "", nil),
		Entry(nil, "cluster.nodes", "5", 5, "7", 7, "9", 9),
		Entry(nil, "cluster.election-timeout", "1s", time.Second, "2s", 2*time.Second, "3s", 3*time.Second),
		Entry(nil, "cluster.snapshot-threshold", "5", uint64(5), "7", uint64(7), "9", uint64(9)),
		Entry(nil, "cluster.snapshot-interval", "1s", time.Second, "2s", 2*time.Second, "3s", 3*time.Second),
		Entry(nil, "cluster.trailing-logs", "5", uint64(5), "7", uint64(7), "0", uint64(0)),
		Entry(nil, "cluster.write-timeout", "5s", 5*time.Second, "4s", 4*time.Second, "3s", 3*time.Second),
		Entry(nil, "cluster.latency", "3ms", 3*time.Millisecond, "4ms", 4*time.Millisecond, "0", time.Duration(0)),
		Entry(nil, "cluster.jitter", "3ms", 3*time.Millisecond, "4ms", 4*time.Millisecond, "0", time.Duration(0)),
		Entry(nil, "cluster.defect", "a-bug", "a-bug", "another", "another", "a-third", "a-third"),
		Entry(nil, "cluster.log-level", "info", "info", "error", "error", "trace", "trace"),
		Entry(nil, "cluster.interleave", "5", uint64(5), "7", uint64(7), "9", uint64(9)),
		Entry(nil, "cluster.yield", "0.5", 0.5, "0.25", 0.25, "1", 1.0),
		Entry(nil, "cluster.max-body", "1KiB", int64(1<<10), "2KiB", int64(2<<10), "3", int64(3)),
	)

	// These two have too few values for the table.
	It("holds for randomize-all", func() {
		loaded, err := parse("suite: {randomize-all: false}")
		Expect(err).NotTo(HaveOccurred())
		Expect(loaded.Suite.RandomizeAll).To(BeFalse())

		loaded, err = parse("suite: {randomize-all: false}", environment("REJOIN_RANDOMIZE_ALL=true"))
		Expect(err).NotTo(HaveOccurred())
		Expect(loaded.Suite.RandomizeAll).To(BeTrue())
	})

	It("holds for target", func() {
		loaded, err := parse("cluster: {target: process}")
		Expect(err).NotTo(HaveOccurred())
		Expect(loaded.Cluster.Target).To(Equal("process"))

		loaded, err = parse("cluster: {target: process}", environment("REJOIN_TARGET=local"))
		Expect(err).NotTo(HaveOccurred())
		Expect(loaded.Cluster.Target).To(Equal("local"))

		loaded, err = parse("", environment("REJOIN_TARGET=local"), commandLine("-rejoin.target=process"))
		Expect(err).NotTo(HaveOccurred())
		Expect(loaded.Cluster.Target).To(Equal("process"))
	})

	It("lets the last of two flags win", func() {
		loaded, err := parse("", commandLine("-rejoin.nodes=5", "--rejoin.nodes", "7"))
		Expect(err).NotTo(HaveOccurred())
		Expect(loaded.Cluster.Nodes).To(Equal(7))
	})

	It("reports an invalid value in the file even if a flag overrides it", func() {
		_, err := parse("cluster: {nodes: many}", commandLine("-rejoin.nodes=5"))
		Expect(err).To(MatchError(ContainSubstring("ginkgo.yml:1:18")))
	})
})

var _ = Describe("A flag", func() {
	It("documents its setting, default and variable", func() {
		set := flag.NewFlagSet("test", flag.ContinueOnError)
		settings.Flags(set)
		var usage strings.Builder
		set.SetOutput(&usage)
		set.PrintDefaults()
		Expect(usage.String()).To(ContainSubstring("-rejoin.nodes value\n    \thow many nodes a cluster has; default 3, or $REJOIN_NODES\n"))
		Expect(usage.String()).To(ContainSubstring("default 16MiB, or $REJOIN_MAX_BODY\n"))
	})

	It("exists for cluster settings only", func() {
		set := flag.NewFlagSet("test", flag.ContinueOnError)
		settings.Flags(set)
		for path := range field {
			section, name, _ := strings.Cut(path, ".")
			if section == "cluster" {
				Expect(set.Lookup("rejoin."+name)).NotTo(BeNil(), path)
			} else {
				Expect(set.Lookup("rejoin."+name)).To(BeNil(), path)
			}
		}
	})

	It("is rejected by the flag set if it is unknown", func() {
		set := flag.NewFlagSet("test", flag.ContinueOnError)
		set.SetOutput(io.Discard)
		settings.Flags(set)
		Expect(set.Parse([]string{"-rejoin.nodse=5"})).To(MatchError(ContainSubstring("not defined: -rejoin.nodse")))
	})
})

var _ = Describe("Load", func() {
	It("reads a file and names it by its path in messages", func() {
		path := filepath.Join(GinkgoT().TempDir(), "other.yml")
		Expect(os.WriteFile(path, []byte("cluster:\n  nodes: 5\n"), 0o600)).To(Succeed())
		Expect(settings.Load(path)).To(HaveField("Cluster.Nodes", 5))

		Expect(os.WriteFile(path, []byte("cluster:\n  nodes: 500\n"), 0o600)).To(Succeed())
		_, err := settings.Load(path)
		Expect(err).To(MatchError(HavePrefix(fmt.Sprintf("%s:2:10: cluster.nodes: 500 is out of range", path))))
	})

	It("fails for a missing file", func() {
		_, err := settings.Load(filepath.Join(GinkgoT().TempDir(), "none.yml"))
		Expect(err).To(MatchError(fs.ErrNotExist))
		Expect(err).To(MatchError(HavePrefix("read the settings: open ")))
	})

	It("needs no file", func() {
		Expect(settings.Load("", environment("REJOIN_NODES=5"))).To(HaveField("Cluster.Nodes", 5))
	})
})
