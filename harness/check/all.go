package check

import (
	"errors"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// All judges a history by everything that can be said about it, but for Available,
// which needs a budget. The errors are joined. It is ErrNothing only if nothing at
// all can be judged.
func All(events []journal.Event) error {
	var found []error
	judged := false
	for _, judge := range []func([]journal.Event) error{
		OneLeader, Converged, Durable, Linearizable, StrictlySerializable, Total, Counted, OnlyOnce, Monotonic, OwnWrites,
	} {
		err := judge(events)
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
