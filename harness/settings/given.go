package settings

import (
	"slices"
	"strings"
)

// Given returns the settings that the environment and the flags give, as variables of the
// environment, REJOIN_NODES=5, that give another run the same beside the same file. A flag
// wins over the variable. The options are those of [Load]. Settings named in except, as in
// "cluster.log-level" or "suite." for all of a section, are left out.
func Given(options []Option, except ...string) []string {
	l := &loading{sources: map[string]string{}}
	for _, option := range options {
		option(l)
	}
	var variables []string
	for _, k := range keys {
		if slices.ContainsFunc(except, func(e string) bool {
			return k.path() == e || strings.HasSuffix(e, ".") && strings.HasPrefix(k.path(), e)
		}) {
			continue
		}
		text, given := l.given[k.path()]
		if !given && l.lookup != nil {
			text, given = l.lookup(k.variable())
		}
		if given {
			variables = append(variables, k.variable()+"="+text)
		}
	}
	return variables
}
