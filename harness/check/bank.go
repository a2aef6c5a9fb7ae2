package check

import (
	"fmt"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Total judges banks (journal.Bank): every read of as many accounts as any read has
// finds the same total, at whatever level it reads, and no balance is negative.
func Total(events []journal.Event) error { return totalRule.Judge(events).Err() }

func judgeTotal(h history) error {
	var reads []*journal.Event
	accounts := 0
	for _, e := range h.of(journal.Bank) {
		if e.Op.Outcome == journal.OK && !e.Op.Changes() && e.Op.Steps[0].Got != nil {
			reads = append(reads, e)
			accounts = max(accounts, len(e.Op.Steps))
		}
	}
	if len(reads) == 0 {
		return nothing("no account was read")
	}
	var first **journal.Event
	var total int64
	for i, e := range reads {
		sum, err := h.sum(e)
		switch {
		case err != nil:
			return err
		case len(e.Op.Steps) < accounts:
		case first == nil:
			first, total = &reads[i], sum
		case sum != total:
			return h.violation("the total changed", []*journal.Event{*first, e}, "%d accounts held %d together, and then %d", accounts, total, sum)
		}
	}
	return nil
}

func (h history) sum(e *journal.Event) (sum int64, _ error) {
	for _, s := range e.Op.Steps {
		if len(s.Got) != 1 {
			return 0, fmt.Errorf("a read of %s got %v, and not one balance", s.Key, s.Got)
		}
		if s.Got[0] < 0 {
			return 0, h.violation("a negative balance", []*journal.Event{e}, "%s held %d", s.Key, s.Got[0])
		}
		sum += s.Got[0]
	}
	return sum, nil
}
