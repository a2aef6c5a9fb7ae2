package main

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/mutate"
)

// equivalent says why no test can notice a mutant. Each line has the key of the mutant, " # " and the reason.
//
//go:embed equivalent.txt
var equivalent string

// readReasons returns the reasons in equivalent.txt, by the key of the mutant.
func readReasons() (map[string]string, error) {
	reasons := make(map[string]string)
	for line := range strings.Lines(equivalent) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, reason, is := cutLast(line, " # ")
		if !is || reason == "" {
			return nil, fmt.Errorf("equivalent.txt: %q: want the key of a mutant, %q and a reason", line, " # ")
		}
		reasons[key] = reason
	}
	return reasons, nil
}

// known returns an error if a reason has no mutant.
func known(reasons map[string]string, sites []mutate.Site) error {
	keys := make(map[string]bool, len(sites))
	for _, s := range sites {
		keys[s.Key()] = true
	}
	for _, key := range slices.Sorted(maps.Keys(reasons)) {
		if !keys[key] {
			return fmt.Errorf("equivalent.txt: no mutant %q", key)
		}
	}
	return nil
}

func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}

func (r result) String() string {
	switch {
	case r.Suite.Killed:
		return fmt.Sprintf("suite    %s (%s, %.1f s)", r.Mutant, r.Suite.By, r.Suite.Took.Seconds())
	case r.Unit.Killed:
		return fmt.Sprintf("unit     %s (%s)", r.Mutant, r.Unit.By)
	}
	return fmt.Sprintf("SURVIVED %s (%s)", r.Mutant, r.reach())
}

// reach describes which tests reach a mutant that survived.
func (r result) reach() string {
	switch {
	case r.Suite.Reached && r.Unit.Reached:
		return "reached by the suite and the package's tests"
	case r.Suite.Reached:
		return "reached by the suite alone"
	case r.Unit.Reached:
		return "reached by the package's tests alone"
	}
	return "reached by no test"
}

// count counts mutants by result.
type count struct{ tried, equivalent, unreached, suite, endless, unit, survived int }

func (c *count) add(r result, excused bool) {
	c.tried++
	switch {
	case r.Suite.Killed:
		c.suite++
	case r.Unit.Killed:
		c.unit++
	case excused:
		c.equivalent++
	default:
		c.survived++
	}
	if !r.Suite.Reached {
		c.unreached++
	}
	if r.Suite.Endless || r.Unit.Endless {
		c.endless++
	}
}

func (c count) String() string {
	judged := c.tried - c.equivalent
	return fmt.Sprintf("%s, %d of them equivalent. The suite does not reach %d. It killed %s, suite or tests of the package %s, "+
		"%d of these because they did not end; %d survived.",
		plural(c.tried, "mutant", "mutants"), c.equivalent, c.unreached,
		share(c.suite, judged), share(c.suite+c.unit, judged), c.endless, c.survived)
}

// report prints the survivors and a summary, and returns how many survived without a reason.
func report(results []result, reasons map[string]string) (survivors int) {
	var all count
	each := make(map[string]*count)
	fmt.Println()
	for _, r := range results {
		reason := reasons[r.Mutant.Key()]
		if each[r.Mutant.Package] == nil {
			each[r.Mutant.Package] = new(count)
		}
		all.add(r, reason != "")
		each[r.Mutant.Package].add(r, reason != "")
		switch {
		case r.Suite.Killed || r.Unit.Killed:
		case reason != "":
			fmt.Printf("equivalent %s: %s\n", r.Mutant.Key(), reason)
		default:
			fmt.Println(r)
		}
	}
	fmt.Println()
	for _, name := range slices.Sorted(maps.Keys(each)) {
		fmt.Printf("%s: %v\n", name, each[name])
	}
	fmt.Printf("all: %v\n", all)
	return all.survived
}

func share(part, whole int) string {
	if whole == 0 {
		return "none"
	}
	return fmt.Sprintf("%d of %d (%d %%)", part, whole, part*100/whole)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
