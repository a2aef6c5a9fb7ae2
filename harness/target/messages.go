package target

import "time"

// Message is a call from one node to another one.
type Message struct {
	From, To int // indexes
	Sent     time.Time
	Took     time.Duration // until the answer, or until the caller gave up
	What     string        // in words, such as "append 3 from index 17 on, term 2"
	Err      string        // why there was no answer; empty if there was one
}

// Messenger is a Cluster that remembers the messages between its nodes.
type Messenger interface {
	// Messages returns the latest messages whose answer has come or will not come, in the order in which that was known. How many it
	// remembers is bounded. It may be called at any time, also after Close, and does not block.
	Messages() []Message
}
