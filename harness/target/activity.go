package target

import (
	"slices"
	"strings"
)

// Work is a kind of long work of a node.
type Work string

// The kinds of work.
const (
	ReplayingLog       Work = "replaying the log"     // after a start, until it has applied again what it had applied
	TakingSnapshot     Work = "taking a snapshot"     // of its own state
	SendingSnapshot    Work = "sending a snapshot"    // to a follower
	ReceivingSnapshot  Work = "receiving a snapshot"  // from the leader
	InstallingSnapshot Work = "installing a snapshot" // that it has received, in place of its own state
)

// Activity is one piece of long work that a node does.
type Activity struct {
	Work Work
	// Peer is the ID of the other node; empty if there is none, or if it is not known.
	Peer string
}

func (a Activity) String() string {
	if a.Peer == "" {
		return string(a.Work)
	}
	return string(a.Work) + " to " + a.Peer
}

// Activities is all long work that a node does at one moment.
type Activities []Activity

// Include tells whether the node does any of the kinds of work.
func (a Activities) Include(work ...Work) bool {
	return slices.ContainsFunc(a, func(one Activity) bool { return slices.Contains(work, one.Work) })
}

// String lists the activities, as in "taking a snapshot, sending a snapshot to n1"; it is
// empty if there are none.
func (a Activities) String() string {
	words := make([]string, len(a))
	for i, one := range a {
		words[i] = one.String()
	}
	return strings.Join(words, ", ")
}
