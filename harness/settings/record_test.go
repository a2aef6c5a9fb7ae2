package settings_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/settings"
)

var _ = Describe("The values of settings", func() {
	It("are those of both sections, as text", func() {
		values := settings.Default().Values()
		Expect(values).To(And(HaveKeyWithValue("cluster.nodes", "3"), HaveKeyWithValue("suite.journals", "failed"),
			HaveKeyWithValue("cluster.election-timeout", "50ms")))
	})
})
