package again

import (
	"fmt"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// Test is a spec that ran in the suite of any package, which go test runs again.
type Test struct {
	Package   string   // its import path
	Test      string   // the name of the Go test that runs the suite, as in TestShop
	Suite     string   // the description of the suite
	Seed      int64    // Ginkgo's
	Text      string   // all of it, with its containers'; "" for all specs
	Flags     []string // of the go command, as in -race
	Variables []string // settings that the environment gave, as in REJOIN_NODES=5
	Exact     bool     // whether the program was built for exact replay
}

// Line is the command that runs the spec again. It works in every directory of the module
// that requires the package.
func (t Test) Line() string {
	var line command
	for _, variable := range t.Variables {
		name, value, _ := strings.Cut(variable, "=")
		line = append(line, name+"="+quote(value))
	}
	if t.Exact {
		line = append(line, "GODEBUG=asyncpreemptoff=1", "go", "run", exact)
	}
	line = append(line, "go", "test")
	for _, flag := range t.Flags {
		line = append(line, quote(flag))
	}
	// The package comes before flags that the go command does not know.
	line = append(line, "-run="+quote("^"+t.Test+"$"), quote(t.Package), fmt.Sprintf("-ginkgo.seed=%d", t.Seed))
	if t.Text != "" {
		line = append(line, "-ginkgo.focus="+quote(focus(t.Suite, t.Text)))
	}
	return line.String()
}

// exact is the command that builds a program for exact replay.
const exact = "github.com/rejoin-db/rejoin/harness/cmd/exact"

// Built returns the import path of the package whose test this program is, and the flags of
// the go command that another build of it needs. The path is "." where the program does not
// say, which means the package in the current directory.
func Built() (path string, flags []string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ".", nil
	}
	return built(info)
}

func built(info *debug.BuildInfo) (path string, flags []string) {
	path, is := strings.CutSuffix(info.Path, ".test")
	if !is || path == "" {
		path = "."
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "-race" && s.Value == "true":
			flags = append(flags, "-race")
		case s.Key == "-tags" && s.Value != "":
			flags = append(flags, "-tags="+s.Value)
		}
	}
	return path, slices.Compact(flags)
}

// focus is the expression for Ginkgo's -focus that fits the spec alone: Ginkgo matches the
// description of the suite before the text of each spec.
func focus(suite, text string) string { return "^" + regexp.QuoteMeta(suite+" "+text) + "$" }
