package settings

import (
	"fmt"
	"regexp"

	"github.com/onsi/ginkgo/v2/types"
)

// CheckFilters returns an error that names the first --focus or --skip filter that is not a regular expression.
// Ginkgo would panic.
func CheckFilters(suite types.SuiteConfig) error {
	for flag, filters := range map[string][]string{"--focus": suite.FocusStrings, "--skip": suite.SkipStrings} {
		for _, filter := range filters {
			if _, err := regexp.Compile(filter); err != nil {
				return fmt.Errorf("%s %q is not a regular expression (%w): put a \\ before a special character", flag, filter, err)
			}
		}
	}
	return nil
}
