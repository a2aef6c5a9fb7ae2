package settings

import (
	"fmt"
	"regexp"

	"github.com/onsi/ginkgo/v2/types"
)

// CheckFilters says which of Ginkgo's filters is no regular expression. Ginkgo itself panics.
func CheckFilters(suite types.SuiteConfig) error {
	for flag, filters := range map[string][]string{"--focus": suite.FocusStrings, "--skip": suite.SkipStrings} {
		for _, filter := range filters {
			if _, err := regexp.Compile(filter); err != nil {
				return fmt.Errorf("%s takes a regular expression, and %q is none (%w): put a \\ before a character that stands for itself", flag, filter, err)
			}
		}
	}
	return nil
}
