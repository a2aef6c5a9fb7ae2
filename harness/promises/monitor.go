package promises

import (
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ErrBroken is wrapped by the error of a promise that was broken.
var ErrBroken = errors.New("a promise of the cluster is broken")

// Node is a node that promises.
type Node interface {
	fmt.Stringer // as in "node 0 (n0)"
	Index() int
}

// Monitor remembers what nodes have promised. Its methods are safe for concurrent use and
// do not block.
type Monitor struct {
	acknowledged acknowledged
	terms        terms
	votes        votes
}

// New returns a monitor that keeps that many of the latest acknowledged requests.
func New(memory int) *Monitor {
	return &Monitor{acknowledged: acknowledged{memory: memory}, terms: newTerms(), votes: newVotes()}
}

// Acknowledge notes that the request of that name changed data and was answered by a
// success.
func (m *Monitor) Acknowledge(id string) { m.acknowledged.note(id) }

// Missing returns the names of acknowledged requests that are not among those remembered.
func (m *Monitor) Missing(remembered map[string]bool) []string {
	return m.acknowledged.missing(remembered)
}

// Led notes the terms that a node said it led. It returns an error when it finds, for the
// first time, that two nodes led in one.
func (m *Monitor) Led(node Node, terms []uint64) error { return m.terms.note(node, terms) }

// Voted notes whom a node said it had voted for, and when it was asked (see Now). It
// returns an error when it finds, for the first time, that a node has forgotten its vote.
func (m *Monitor) Voted(node Node, vote target.Vote, asked uint64) error {
	return m.votes.note(node, promise{vote: vote, asked: asked})
}

// Broken returns the first promise of leaders, and of votes, that was broken; nil if none.
func (m *Monitor) Broken() []error { return []error{m.terms.verify(), m.votes.verify()} }

// Now returns a time that is later than all before. Times are counted.
func (m *Monitor) Now() uint64 { return m.votes.tick() }

// Forget forgets the vote of a node that has a new disk.
func (m *Monitor) Forget(node int) { m.votes.forget(node) }

// MayForget notes that a node may forget its vote: its disk lies.
func (m *Monitor) MayForget(node int) { m.votes.mayForget(node) }
