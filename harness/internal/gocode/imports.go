package gocode

import (
	"path"
	"regexp"
	"slices"
)

// Imports returns those of the packages that the code uses, in their order.
func Imports(code string, packages ...string) []string {
	return slices.DeleteFunc(slices.Clone(packages), func(p string) bool {
		used, err := regexp.MatchString(`\b`+regexp.QuoteMeta(path.Base(p))+`\.[A-Z]`, code)
		return err != nil || !used
	})
}
