package settings

import (
	"flag"
	"fmt"
)

// Flags registers one flag for each cluster setting, -rejoin.nodes=5, and returns the option that
// hands to [Load] what was given on the command line. Register before the flags are parsed, that is
// in a package-level variable of the test, and load after:
//
//	var flags = settings.Flags(flag.CommandLine)
//
// Then both go test . -rejoin.nodes=5 and ginkgo . -- -rejoin.nodes=5 work. The package goes first:
// go test takes what follows a flag it does not know for the binary's. Test binaries of other packages
// do not know these flags and refuse them, so name the one package rather than ./... or -r.
//
// A wrong value is not refused by the flag set but by Load, which tells it along with all the rest.
func Flags(fs *flag.FlagSet) Option {
	given := map[string]string{}
	defaults := Default()
	for _, k := range keys {
		if k.section != cluster {
			continue
		}
		usage := fmt.Sprintf("%s; default %s, or $%s", k.usage, k.show(&defaults), k.variable())
		fs.Var(flagValue{given, k.path()}, k.flag(), usage)
	}
	return func(l *loading) { l.given = given }
}

func (l *loading) readFlags() {
	for _, k := range keys {
		if text, found := l.given[k.path()]; found {
			l.set(k, text, "flag -"+k.flag())
		}
	}
}

// flagValue keeps the text of a flag until the settings are read.
type flagValue struct {
	given map[string]string
	path  string
}

// String is empty, because the default is part of the usage: Ginkgo's help shows only that.
func (flagValue) String() string { return "" }

func (v flagValue) Set(text string) error {
	v.given[v.path] = text
	return nil
}
