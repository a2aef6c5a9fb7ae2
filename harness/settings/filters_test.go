package settings_test

import (
	"github.com/onsi/ginkgo/v2/types"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/settings"
)

var _ = Describe("Ginkgo's filters", func() {
	It("must be regular expressions", func() {
		Expect(settings.CheckFilters(types.SuiteConfig{})).To(Succeed())
		Expect(settings.CheckFilters(types.SuiteConfig{
			FocusStrings: []string{`a (node|leader)`, `\(`}, SkipStrings: []string{"b"},
		})).To(Succeed())
		Expect(settings.CheckFilters(types.SuiteConfig{FocusStrings: []string{"a", "("}})).To(
			MatchError(HavePrefix(`--focus "(" is not a regular expression (error parsing regexp: missing closing ): ` + "`(`)")))
		Expect(settings.CheckFilters(types.SuiteConfig{SkipStrings: []string{"*"}})).To(
			MatchError(HavePrefix(`--skip "*" is not a regular expression`)))
	})
})
