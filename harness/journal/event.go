package journal

import (
	"fmt"
	"strings"
	"time"
)

// Kind is the kind of an event.
type Kind string

const (
	Boot      Kind = "boot"      // a cluster was booted
	Operation Kind = "operation" // a request and what became of it
	Flag      Kind = "flag"      // the harness wants a node online or offline
	Fault     Kind = "fault"     // something was done to a node or link, or undone
	Wait      Kind = "wait"      // the harness waited for a node
	Check     Kind = "check"     // nodes were compared
	Member    Kind = "member"    // a node was taken into the cluster, or out of it
	Shown     Kind = "state"     // what a node showed of itself, when that was new
	Resource  Kind = "resource"  // what a node takes, and how far it lags
	Spec      Kind = "spec"      // a spec begins or ends
	Note      Kind = "note"      // free text; no checker reads it
)

// Kinds are all kinds of events.
func Kinds() []Kind {
	return []Kind{Boot, Operation, Flag, Fault, Wait, Check, Member, Shown, Resource, Spec, Note}
}

// Nobody stands in for a node in events that are about none, and for a client
// where none was named.
const Nobody = -1

// Event is something that happened.
type Event struct {
	At   time.Time     // when it began; Record takes 0 for now
	Took time.Duration // how long it took; 0 for what takes no time
	Kind Kind
	Node int // index, or Nobody
	Text string
	Err  string // what went wrong; empty if nothing did

	Op      *Op         // of an Operation: who did what, and what became of it
	State   *State      // of Shown and Check: what the node showed
	Flag    *FlagChange // of a Flag: what the harness wants of the node
	Members *Members    // of a Boot and a Member that succeeded: the members from then on
}

// FlagChange is what the harness wants of a node from now on. The flag goes down when
// the event begins, and up when it ends. It has not moved if the event has an Err.
type FlagChange struct {
	Online bool   `json:"online"`
	Mode   string `json:"mode,omitempty"` // how the node is lost or comes back
}

// Members are the nodes of a cluster, by index. Voters count for a quorum.
type Members struct {
	Voters    []int `json:"voters"`
	NonVoters []int `json:"non_voters,omitempty"`
}

// End is when the event was over.
func (e Event) End() time.Time { return e.At.Add(e.Took) }

// String is the event as one line, without its time.
func (e Event) String() string {
	line := string(e.Kind)
	if e.Node != Nobody {
		line += fmt.Sprintf(" node %d", e.Node)
	}
	if e.Op != nil && e.Op.Client != Nobody {
		line += fmt.Sprintf(" client %d", e.Op.Client)
	}
	line += ": " + e.Text
	if e.Op != nil && len(e.Op.Steps) > 0 {
		if e.Text != "" {
			line += " | "
		}
		line += e.Op.String()
	}
	if e.Took > 0 {
		line += fmt.Sprintf(" (%v)", e.Took.Round(10*time.Microsecond))
	}
	if e.Op != nil && e.Op.Outcome == Unknown {
		line += " -> unknown"
	}
	if e.Err != "" {
		line += " -> " + e.Err
	}
	return strings.Join(strings.FieldsFunc(line, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// State is what a node shows of itself: its role and how far it is.
type State struct {
	Health  string `json:"health,omitempty"` // as target.State has them
	Role    string `json:"role,omitempty"`   // leader, follower, candidate, …
	Leader  string `json:"leader,omitempty"` // the leader's ID, as the node knows it
	Term    uint64 `json:"term,omitempty"`
	Commit  uint64 `json:"commit,omitempty"`  // log index
	Applied uint64 `json:"applied,omitempty"` // log index
	// Digest is a hash of everything the node holds at Applied; empty unless it was asked.
	Digest string `json:"digest,omitempty"`
}

func (s State) String() string {
	text := fmt.Sprintf("%s, %s in term %d, leader %s, commit %d, applied %d", or(s.Health, "?"), or(s.Role, "?"), s.Term, or(s.Leader, "none"), s.Commit, s.Applied)
	if s.Digest != "" {
		text += ", digest " + s.Digest
	}
	return text
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
