package harness

import (
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Messages returns the latest messages between nodes, as events for a journal: none where the target does not remember them. It does
// not block, and may be called after Close.
func (c *Cluster) Messages() []journal.Event {
	messenger, can := target.As[target.Messenger](c.cluster)
	if !can {
		return nil
	}
	var events []journal.Event
	for _, m := range messenger.Messages() {
		events = append(events, journal.Event{At: m.Sent, Took: m.Took, Kind: journal.Message, Node: m.From, Text: m.What, Err: m.Err,
			To: &journal.Receiver{Node: m.To}})
	}
	return events
}
