package settings_test

import (
	"flag"
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness/settings"
)

func ExampleLoad() {
	// In a suite, pass flag.CommandLine (at package level), os.LookupEnv and os.Environ().
	command := flag.NewFlagSet("test", flag.ContinueOnError)
	environ := []string{"REJOIN_NODES=7", "REJOIN_ELECTION_TIMEOUT=80ms"}
	lookup := func(name string) (string, bool) {
		for _, entry := range environ {
			if value, found := strings.CutPrefix(entry, name+"="); found {
				return value, true
			}
		}
		return "", false
	}

	flags := settings.Flags(command)
	if err := command.Parse([]string{"-rejoin.nodes=5"}); err != nil {
		fmt.Println(err)
		return
	}
	loaded, err := settings.Load("../../ginkgo.yml",
		settings.Targets("local"), settings.Environment(lookup, environ), flags)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(loaded.Cluster.Nodes, "nodes, election timeout", loaded.Cluster.ElectionTimeout)
	// Output: 5 nodes, election timeout 80ms
}

func ExampleParse() {
	_, err := settings.Parse("ginkgo.yml", []byte(`
cluster:
  nodes: many
  election-timout: 1s
  log-level: loud
`))
	for line := range strings.Lines(err.Error()) {
		problem, _, _ := strings.Cut(line, " allowed: ") // a list of the allowed values follows
		fmt.Println(problem)
	}
	// Output:
	// ginkgo.yml:3:10: cluster.nodes: "many" is not a whole number;
	// ginkgo.yml:4:3: cluster.election-timout is not a setting; did you mean "election-timeout"?
	// ginkgo.yml:5:14: cluster.log-level: "loud" is not one of them;
}
