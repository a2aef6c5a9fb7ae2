package settings_test

import (
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
})
