package settings

import (
	"slices"
	"strings"
)

const prefix = "REJOIN_"

// Environment lets variables override the file. A variable is REJOIN_ and the key in capitals, with underscores
// for dashes: REJOIN_ELECTION_TIMEOUT. An empty variable is a value: it turns off label-filter and junit-report
// and is an error for all other settings.
//
// Pass [os.LookupEnv] and [os.Environ]. Values are read through lookup, because go test caches results by the
// variables read that way: read through environ alone, a run under a different REJOIN_NODES would get the cached
// result. environ serves only to find unknown variables.
func Environment(lookup func(string) (string, bool), environ []string) Option {
	return func(l *loading) { l.lookup, l.environ = lookup, environ }
}

// Variables names REJOIN_ variables that other programs use. They are not reported as unknown.
func Variables(names ...string) Option {
	return func(l *loading) { l.variables = append(l.variables, names...) }
}

func (l *loading) readEnvironment() {
	known := slices.Clone(l.variables)
	for _, k := range keys {
		known = append(known, k.variable())
		if l.lookup == nil {
			continue
		}
		if text, found := l.lookup(k.variable()); found {
			l.set(k, text, "environment variable "+k.variable())
		}
	}
	for _, entry := range slices.Sorted(slices.Values(l.environ)) {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, prefix) && !slices.Contains(known, name) {
			l.problem("environment variable "+name, name,
				"no setting has this name"+suggest(name, known), strings.Join(known, ", "))
		}
	}
}
