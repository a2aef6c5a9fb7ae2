package harness

import (
	"github.com/rejoin-db/rejoin/harness/promises"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Promises watches what nodes have promised, as far as any answer or status ever told, and
// whether they keep it. VerifyInvariants asks it. Its methods are safe for concurrent use and
// do not block. The default is a promises.Monitor.
type Promises interface {
	// Acknowledge notes that the request of that name changed data and was answered by a
	// success.
	Acknowledge(id string)
	// Missing returns the names of acknowledged requests that are not among those remembered.
	// It covers the latest ones, which every node still remembers.
	Missing(remembered map[string]bool) []string
	// Led notes the terms that a node said it led. It returns an error when it finds, for
	// the first time, that two nodes led in one.
	Led(node promises.Node, terms []uint64) error
	// Voted notes whom a node said it had voted for, and when it was asked. It returns an
	// error when it finds, for the first time, that a node has forgotten its vote.
	Voted(node promises.Node, vote target.Vote, asked uint64) error
	// Broken returns the first promise of leaders, and of votes, that was broken; nil if none.
	Broken() []error
}

// Watching sets what watches promises: what watch returns, which is given the default. It
// is called once, at boot.
func Watching(watch func(Promises) Promises) Option { return func(o *options) { o.watch = watch } }
