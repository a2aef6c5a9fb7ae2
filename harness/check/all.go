package check

import (
	"errors"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Rules returns the rules of All: every rule except Available, which needs a budget, and the
// isolation levels that StrictlySerializable implies.
func Rules() []Rule {
	return []Rule{
		oneLeaderRule, convergedRule, durableRule, linearizableRule, strictlySerializableRule,
		totalRule, countedRule, onlyOnceRule, monotonicRule, ownWritesRule, monotonicWritesRule, writesFollowReadsRule,
	}
}

// All judges a history by all Rules, and joins the errors. It returns ErrNothing only if no rule
// finds anything to judge.
func All(events []journal.Event) error {
	h, err := newHistory(events)
	if err != nil {
		return err
	}
	var found []error
	judged := false
	for _, rule := range Rules() {
		err := rule.judgeHistory(h).Err()
		if errors.Is(err, ErrNothing) {
			continue
		}
		judged = true
		found = append(found, err)
	}
	if !judged {
		return nothing("no operation with steps, no state of a node")
	}
	return errors.Join(found...)
}
