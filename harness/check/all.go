package check

import (
	"errors"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Rules are the rules of All: every promise but Available, which needs a budget, and
// the levels that StrictlySerializable implies.
func Rules() []Rule {
	return []Rule{
		oneLeaderRule, convergedRule, durableRule, linearizableRule, strictlySerializableRule,
		totalRule, countedRule, onlyOnceRule, monotonicRule, ownWritesRule, monotonicWritesRule, writesFollowReadsRule,
	}
}

// All judges a history by all Rules. The errors are joined. It is ErrNothing only if no
// rule found anything to judge.
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
