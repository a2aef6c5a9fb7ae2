package check

import (
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Named returns all rules with a name: those of Rules first, then the weaker isolation levels that a
// database may claim instead.
func Named() []Rule {
	return append(Rules(), serializableRule, snapshotIsolationRule, repeatableReadRule, readCommittedRule, monotonicAnywhereRule,
		ownWritesAnywhereRule)
}

// Slug returns the rule's name as one word, such as "strictly-serializable".
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
	return Rule{}, fmt.Errorf("unknown rule %q: the rules are %s", name, strings.Join(slugs, ", "))
}

// Gap returns an error that wraps ErrInvalid if a journal dropped events that a rule may need. Kinds
// that no rule reads do not count, such as notes, waits, samples and polls.
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
