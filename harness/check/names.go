package check

import (
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Named are all rules that have a name, those of Rules first: also the levels that a
// database may claim instead.
func Named() []Rule {
	return append(Rules(), serializableRule, snapshotIsolationRule, repeatableReadRule, readCommittedRule, monotonicAnywhereRule, ownWritesAnywhereRule)
}

// Slug is the rule's name as one word: "strictly-serializable".
func (r Rule) Slug() string {
	return strings.ReplaceAll(strings.NewReplacer(",", "", "(", "", ")", "").Replace(r.Name), " ", "-")
}

// Find returns the rule of that name or slug. The error names all rules.
func Find(name string) (Rule, error) {
	var slugs []string
	for _, r := range Named() {
		if name = strings.TrimSpace(name); name == r.Name || name == r.Slug() {
			return r, nil
		}
		slugs = append(slugs, r.Slug())
	}
	return Rule{}, fmt.Errorf("there is no rule %q: the rules are %s", name, strings.Join(slugs, ", "))
}

// Gap returns an error that wraps ErrInvalid if a journal dropped events that a rule
// may need, by kind. Notes, waits and resources are not judged.
func Gap(dropped map[journal.Kind]int) error {
	lost := 0
	for kind, n := range dropped {
		switch kind {
		case journal.Note, journal.Wait, journal.Resource, journal.Spec, journal.By, journal.Polls, journal.Fault:
		default:
			lost += n
		}
	}
	if lost == 0 {
		return nil
	}
	return invalid("the journal dropped %d events that matter, the oldest: a history with a gap proves nothing", lost)
}
