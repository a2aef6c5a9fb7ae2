package settings

import (
	"flag"
	"fmt"
)

// Flags registers one flag for each cluster setting, for example -rejoin.nodes=5, and returns the option that
// passes the flags that were set to [Load]. Register before the flags are parsed, in a package-level variable of
// the test, and load after:
//
//	var flags = settings.Flags(flag.CommandLine)
//
// Then both go test . -rejoin.nodes=5 and ginkgo . -- -rejoin.nodes=5 work. The package must precede the flag:
// go test passes everything after a flag it does not know to the binary. Test binaries of other packages
// reject these flags, so name the one package instead of ./... or -r.
//
// The flag set accepts any value; Load reports invalid ones together with all other problems.
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
