package settings

import (
	"slices"
	"strings"
)

const prefix = "REJOIN_"

// Environment lets variables override the file: REJOIN_ and the key in capitals, dashes as underscores,
// such as REJOIN_ELECTION_TIMEOUT. An empty variable is a value like any other: it switches off
// label-filter and junit-report and is an error for the rest.
//
// The two arguments are [os.LookupEnv] and [os.Environ]. Values come through lookup, because that is
// what go test remembers: through environ alone, it would answer a run under another REJOIN_NODES with
// the cached result of the last. In environ, only variables that mean nothing are looked for.
func Environment(lookup func(string) (string, bool), environ []string) Option {
	return func(l *loading) { l.lookup, l.environ = lookup, environ }
}

// Variables names REJOIN_ variables that belong to somebody else and are not to be taken for mistakes.
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
