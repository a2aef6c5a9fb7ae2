package settings_test

import (
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/settings"
)

var _ = Describe("The ginkgo.yml in the root", func() {
	const path = "../../ginkgo.yml"

	It("has the defaults", func() {
		Expect(settings.Load(path)).To(Equal(settings.Default()))
	})

	It("has every key and names its variable", func() {
		content, err := os.ReadFile(path)
		Expect(err).NotTo(HaveOccurred())
		for path := range field {
			_, name, _ := strings.Cut(path, ".")
			Expect(string(content)).To(MatchRegexp(`(?m)^  %s: \S`, name))
			Expect(string(content)).To(MatchRegexp(`(?m)#.*\b%s\b`, variable(path)))
		}
	})
})
