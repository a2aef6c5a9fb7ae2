package matchers

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// The matchers of this file judge a history: a *journal.Journal, or its events. Package check documents
// the rules and their sources. A history that lost events, is not valid or has nothing to judge is an
// error: it proves nothing, neither for nor against the rule.

// BeLinearizable holds if one order of the operations on registers fits real time.
func BeLinearizable() types.GomegaMatcher { return judged("be linearizable", check.Linearizable) }

// BeDurable holds if in the end every node holds what was acknowledged, and nothing that failed.
func BeDurable() types.GomegaMatcher { return judged("be durable", check.Durable) }

// BeReadCommitted holds for transactions over lists or registers that read nothing
// aborted, intermediate or cyclic.
func BeReadCommitted() types.GomegaMatcher { return judged("be read committed", check.ReadCommitted) }

// BeSnapshotIsolated holds for transactions that each read one snapshot, and of which no two
// concurrent ones write to one key.
func BeSnapshotIsolated() types.GomegaMatcher {
	return judged("be snapshot isolated", check.SnapshotIsolation)
}

// BeRepeatableRead holds for transactions whose reads of keys fit a serial order.
func BeRepeatableRead() types.GomegaMatcher {
	return judged("be repeatable read", check.RepeatableRead)
}

// BeSerializable holds for transactions whose reads fit a serial order.
func BeSerializable() types.GomegaMatcher { return judged("be serializable", check.Serializable) }

// BeStrictlySerializable holds if such an order fits real time.
func BeStrictlySerializable() types.GomegaMatcher {
	return judged("be strictly serializable", check.StrictlySerializable)
}

// KeepTheTotal holds for a bank whose transfers do not change the total.
func KeepTheTotal() types.GomegaMatcher { return judged("keep the total", check.Total) }

// CountRight holds for counters that are the sum of their increments.
func CountRight() types.GomegaMatcher { return judged("count right", check.Counted) }

// GiveOnlyOnce holds if no value was given to two clients.
func GiveOnlyOnce() types.GomegaMatcher {
	return judged("give a value only once", check.OnlyOnce)
}

// BeMonotonic holds if no read of a session shows an older state than an earlier read.
func BeMonotonic() types.GomegaMatcher { return judged("be monotonic", check.Monotonic) }

// ShowOwnWrites holds if the reads of a session show its acknowledged writes.
func ShowOwnWrites() types.GomegaMatcher {
	return judged("show every client its own writes", check.OwnWrites)
}

// KeepWritesMonotonic holds if every read that shows a write shows its client's earlier ones.
func KeepWritesMonotonic() types.GomegaMatcher {
	return judged("keep writes monotonic", check.MonotonicWrites)
}

// LetWritesFollowReads holds if every read that shows a write shows what its client had
// read before.
func LetWritesFollowReads() types.GomegaMatcher {
	return judged("let writes follow reads", check.WritesFollowReads)
}

// BeAvailable holds if changes were refused for no longer than the budget at a time.
func BeAvailable(budget time.Duration) types.GomegaMatcher {
	return judged(fmt.Sprintf("be available, but for %v", budget),
		func(events []journal.Event) error { return check.Available(events, budget) })
}

// HaveConverged holds if all nodes hold the same bytes in the end.
func HaveConverged() types.GomegaMatcher { return judged("have converged", check.Converged) }

// HaveOneLeaderATerm holds if no two nodes led in one term.
func HaveOneLeaderATerm() types.GomegaMatcher {
	return judged("have one leader a term", check.OneLeader)
}

// KeepEveryPromise holds if every rule of check.Rules holds, except those without anything to judge.
func KeepEveryPromise() types.GomegaMatcher { return judged("keep every promise", check.All) }

// Keep holds if the rules of those names hold, such as "snapshot-isolation". check.Named lists the
// rules. An unknown name is an error.
func Keep(rules ...string) types.GomegaMatcher {
	return judged("keep "+strings.Join(rules, ", "), func(events []journal.Event) error {
		if len(rules) == 0 {
			return errors.New("the matcher Keep needs the name of a rule")
		}
		var found []error
		for _, name := range rules {
			rule, err := check.Find(name)
			if err != nil {
				return err
			}
			found = append(found, rule.Judge(events).Err())
		}
		return errors.Join(found...)
	})
}

func judged(sentence string, judge func([]journal.Event) error) types.GomegaMatcher {
	return &historyMatcher{sentence: sentence, judge: judge}
}

type historyMatcher struct {
	sentence string
	judge    func([]journal.Event) error
	found    error
	events   int
}

// Match judges the history.
func (m *historyMatcher) Match(actual any) (bool, error) {
	events, err := eventsOf(actual)
	if err != nil {
		return false, fmt.Errorf("a matcher to %s: %w", m.sentence, err)
	}
	m.events, m.found = len(events), m.judge(events)
	switch _, broken := errors.AsType[*check.Violation](m.found); {
	case m.found == nil:
		return true, nil
	case broken:
		return false, nil
	}
	return false, m.found
}

func eventsOf(actual any) ([]journal.Event, error) {
	switch history := actual.(type) {
	case []journal.Event:
		return history, nil
	case *journal.Journal:
		if history == nil {
			return nil, errors.New("there is no journal")
		}
		return history.Events(), check.Gap(history.Header().Dropped)
	}
	return nil, fmt.Errorf("it takes a *journal.Journal or its events, not a %T", actual)
}

func (m *historyMatcher) FailureMessage(any) string {
	return fmt.Sprintf("Expected the history of %d events to %s, but\n%v", m.events, m.sentence, m.found)
}

func (m *historyMatcher) NegatedFailureMessage(any) string {
	return fmt.Sprintf("Expected the history of %d events not to %s, and it does", m.events, m.sentence)
}
