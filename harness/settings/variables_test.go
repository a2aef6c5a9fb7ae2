package settings_test

import (
	"flag"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/settings"
)

var _ = Describe("Variables of a cluster", func() {
	It("are empty for the defaults", func() {
		Expect(settings.Default().Cluster.Variables()).To(BeEmpty())
	})

	It("reproduce the settings", func() {
		loaded, err := parse("cluster: {target: process, nodes: 5, election-timeout: 59s, write-timeout: 2m, defect: a-bug, " +
			"yield: 0.05, interleave: 3, max-body: 1KiB}")
		Expect(err).NotTo(HaveOccurred())
		variables := loaded.Cluster.Variables()
		Expect(variables).To(ContainElements("REJOIN_NODES=5", "REJOIN_YIELD=0.05", "REJOIN_MAX_BODY=1KiB"))
		Expect(parse("", environment(variables...))).To(Equal(loaded))
	})

	It("leave out the excepted settings", func() {
		loaded, err := parse("cluster: {target: process, nodes: 5}")
		Expect(err).NotTo(HaveOccurred())
		Expect(loaded.Cluster.Variables("cluster.target")).To(Equal([]string{"REJOIN_NODES=5"}))
	})

	It("have all settings by name", func() {
		loaded, err := parse("cluster: {nodes: 5}")
		Expect(err).NotTo(HaveOccurred())
		Expect(loaded.Cluster.Named()).To(And(
			HaveKeyWithValue("cluster.nodes", "5"), HaveKeyWithValue("cluster.target", "local"), Not(HaveKey("suite.timeout"))))
	})
})

var _ = Describe("The settings that are given beside the file", func() {
	It("are those of the environment and the flags, of which flags win", func() {
		flags := flag.NewFlagSet("test", flag.ContinueOnError)
		options := []settings.Option{settings.Flags(flags), environment(
			"REJOIN_NODES=5", "REJOIN_JITTER=1ms", "REJOIN_TIMEOUT=1h", "REJOIN_LOG_LEVEL=info")}
		Expect(flags.Parse([]string{"-rejoin.nodes=7", "-rejoin.max-body=1KiB"})).To(Succeed())
		Expect(settings.Given(options, "suite.", "cluster.log-level")).To(Equal([]string{
			"REJOIN_NODES=7", "REJOIN_JITTER=1ms", "REJOIN_MAX_BODY=1KiB"}))
	})

	It("are none without an environment", func() {
		Expect(settings.Given(nil)).To(BeEmpty())
	})
})
