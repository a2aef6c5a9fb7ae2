package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Total judges banks (journal.Bank): one order of all transfers and reads must explain every
// balance that was read, and no balance may be negative. Transfers, strong reads and final reads
// must fit real time. A read that may be stale shows some earlier state of the same order. An
// account that an operation opens (journal.Write) does not exist before; other accounts may start
// with any balance. The verdict is exact, or ErrUndecided beyond the bounds of the search. It is
// ErrInvalid if the increments of an operation do not add up to 0, if an account is opened twice,
// or if a final operation changes data.
func Total(events []journal.Event) error { return totalRule.Judge(events).Err() }

func judgeTotal(h history, v *Verdict) {
	operations := h.of(journal.Bank)
	if err := validBanks(operations); err != nil {
		v.refuse(err)
		return
	}
	v.countUnobserved(operations)
	v.LeftOut[mayBeStale] = 0
	delete(v.LeftOut, mayBeStale) // they are judged
	groups := connected(operations)
	for _, group := range groups {
		h.judgeBank(v, group, perObject(len(groups)))
	}
}

func validBanks(operations []*journal.Event) error {
	opened := make(map[string]bool)
	for _, e := range operations {
		sum := int64(0)
		for _, s := range e.Op.Steps {
			switch {
			case s.Do == journal.Increment:
				sum += s.Value
			case s.Do != journal.Write || e.Op.Outcome == journal.Failed:
			case opened[s.Key]:
				return invalid("%s is opened twice, the second time here: %s", s.Key, e)
			case s.Value < 0:
				return invalid("%s is opened with %d, and a balance is never below 0: %s", s.Key, s.Value, e)
			default:
				opened[s.Key] = true
			}
		}
		switch {
		case sum != 0:
			return invalid("the increments of a transfer add up to 0, and these to %d: %s", sum, e)
		case e.Op.Final && e.Op.Changes():
			return invalid("a final operation changes something: %s", e)
		}
	}
	return nil
}

// balancesOf tells whether the balances that the operation read are known and judged.
func balancesOf(e *journal.Event) bool {
	why := unobserved(e)
	return reads(e) && (why == "" || why == mayBeStale && !e.Op.Changes())
}

func (h history) judgeBank(v *Verdict, events []*journal.Event, bytes int) {
	if !slices.ContainsFunc(events, balancesOf) {
		return
	}
	v.Judged += len(events)
	if !slices.ContainsFunc(events, func(e *journal.Event) bool {
		return slices.ContainsFunc(e.Op.Steps, func(s journal.Step) bool { return s.Do == journal.Write })
	}) {
		v.note("bank: no operation opens the accounts, so they may have begun with any balance")
	}
	if found := h.plainlyWrong(events); len(found) > 0 {
		for _, violation := range found {
			v.violate(violation)
		}
		return
	}
	found, stuck := decide(events, bytes, searchBank)
	switch found {
	case undecided:
		v.undecided("bank of %s: too many of its %d operations are concurrent or have no outcome", events[0].Op.Steps[0].Key, len(events))
	case impossible:
		v.violate(h.violation("balances out of order", around(stuck, events, shareKey(stuck)),
			"no order of the %d transfers and reads explains the balances; with all before it, this cannot be explained: %s", len(events), stuck))
	default:
	}
}

// plainlyWrong returns violations that need no search: a negative balance in a read, and a total of
// all accounts that differs from the initial total.
func (h history) plainlyWrong(events []*journal.Event) []*Violation {
	var found []*Violation
	accounts := make(map[string]bool)
	for _, e := range events {
		for _, s := range e.Op.Steps {
			accounts[s.Key] = true
		}
	}
	opening, total, known := h.openedWith(events, len(accounts))
	for _, e := range events {
		if !balancesOf(e) || e.Op.Changes() {
			continue
		}
		sum, there := int64(0), make(map[string]bool)
		for _, s := range e.Op.Steps {
			if len(s.Got) == 0 {
				continue
			}
			if s.Got[0] < 0 {
				found = append(found, h.violation("a negative balance", []*journal.Event{e}, "%s held %d", s.Key, s.Got[0]))
			}
			if !there[s.Key] {
				sum += s.Got[0]
			}
			there[s.Key] = true
		}
		switch {
		case len(there) < len(accounts):
		case !known:
			opening, total, known = e, sum, true
		case sum != total:
			found = append(found, h.violation("the total changed", []*journal.Event{opening, e},
				"%d accounts held %d together, and then %d", len(there), total, sum))
		}
	}
	return found
}

// openedWith returns the total of all accounts, if one operation opens all of them.
func (h history) openedWith(events []*journal.Event, accounts int) (opening *journal.Event, total int64, known bool) {
	for _, e := range events {
		total, opened := int64(0), 0
		for _, s := range e.Op.Steps {
			if s.Do == journal.Write {
				total += s.Value
				opened++
			}
		}
		if opened == accounts {
			return e, total, true
		}
	}
	return nil, 0, false
}

// fewTasks is the largest number of operations for which all orders are tried.
const fewTasks = 16

// searchBank decides one bank. For a long history it adds up the transfers between reads first, and
// tries all orders only if that does not decide.
func searchBank(events []*journal.Event, bytes int) (answer, *journal.Event) {
	return widen(bytes, func(b *budget) (*search, int) {
		n := newNumbers(false, events)
		start := n.start(events)
		s := n.newSearch(events, true, b)
		if len(s.tasks) > fewTasks {
			s.model = newLedger(n, s)
		}
		return s, start
	})
}
