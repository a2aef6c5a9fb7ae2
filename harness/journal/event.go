package journal

import (
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// Kind is the kind of an event.
type Kind string

// The kinds. The comments name the field of an Event that has the details.
const (
	Boot      Kind = "boot"      // a cluster was booted: Boot, Members
	Operation Kind = "operation" // a request and its outcome: Op
	Flag      Kind = "flag"      // the harness wants a node online or offline: Flag
	Fault     Kind = "fault"     // a fault begins or ends: Fault
	Wait      Kind = "wait"      // the harness waited for a condition
	Check     Kind = "check"     // nodes were compared: State
	Member    Kind = "member"    // a node joined or left the cluster: Member, Members
	Shown     Kind = "state"     // a node's status, if it differs from the last one: State
	Role      Kind = "role"      // a node reports that its role, term or leader changed: State
	Resource  Kind = "resource"  // what a node uses, and how far it lags: Sample
	Spec      Kind = "spec"      // a spec begins or ends: Spec
	By        Kind = "by"        // a step of a spec: Place
	Polls     Kind = "polls"     // a condition was polled, and did not hold: Poll
	Message   Kind = "message"   // a call from a node to another one: To; Took is until the answer, Err why there was none
	Note      Kind = "note"      // free text
)

// Kinds returns all kinds of events.
func Kinds() []Kind {
	return []Kind{Boot, Operation, Flag, Fault, Wait, Check, Member, Shown, Role, Resource, Spec, By, Polls, Message, Note}
}

// None is the Node of an event that concerns no single node, and the Client of an
// operation without a client number.
const None = -1

// Event is something that happened. Its fields say what; String makes text of them. Text is
// for people: no program reads it.
type Event struct {
	At   time.Time     // when it began; Record replaces the zero time by the current one
	Took time.Duration // how long it took; 0 for an event without duration
	Kind Kind
	Node int    // index, or None
	Text string // what no field says: the SQL of an Operation, the condition of a Wait, the words of a Note
	Err  string // why it failed; empty if it did not

	Op      *Op           // of an Operation
	State   *State        // of a Shown, a Role and a Check
	Flag    *FlagChange   // of a Flag
	Fault   *FaultChange  // of a Fault
	Boot    *BootInfo     // of a Boot
	Member  *MemberChange // of a Member
	Members *Members      // of a Boot and a Member without Err: the members from its end on
	Sample  *Sample       // of a Resource
	Spec    *SpecBoundary // of a Spec
	Poll    *Poll         // of a Polls
	Place   *Place        // of a Spec and a By
	Differs *Difference   // of a Check that found one
	To      *Receiver     // of a Message
}

// End returns when the event was over.
func (e Event) End() time.Time { return e.At.Add(e.Took) }

// FlagChange is the state that the harness wants of a node. The flag goes down when the event
// begins, and up when it ends. It has not changed if the event has an Err.
type FlagChange struct {
	Online bool `json:"online"`
	// Mode is how the node is lost, or how it was lost if it comes back. It is empty if that
	// is not known.
	Mode fault.Mode `json:"mode,omitempty"`
	// Wiped tells that the node comes back with an empty disk.
	Wiped bool `json:"wiped,omitempty"`
}

// Phase tells what an event does about a fault.
type Phase string

// The phases.
const (
	Begins Phase = "begins" // the fault is in force from some moment of the event on
	Ends   Phase = "ends"   // the fault is over at some moment of the event
	Once   Phase = "once"   // the fault has no end of its own
)

// FaultChange is a fault that begins or ends. If the event has an Err the attempt failed, and
// took effect only as far as ID and Ended say.
type FaultChange struct {
	fault.Fault
	Phase Phase `json:"phase"`
	// ID names the fault that begins, uniquely in its journal. It is 0 if nothing began.
	ID uint64 `json:"id,omitempty"`
	// Ended are the IDs of the faults that are over. A fault that replaces another one ends it.
	Ended []uint64 `json:"ended,omitempty"`
}

// BootInfo is what a cluster was booted from.
type BootInfo struct {
	Size      int      `json:"size"` // nodes
	Seed      uint64   `json:"seed"`
	Target    string   `json:"target,omitempty"`
	Abilities []string `json:"abilities,omitempty"` // of the target, as package target names them
}

// MemberChange is a node that is added to the cluster or removed from it.
type MemberChange struct {
	Added bool `json:"added"` // false for a node that is removed
	Voter bool `json:"voter"` // whether it counts for a quorum
	// Ended are the IDs of the faults that were in force around a removed node.
	Ended []uint64 `json:"ended,omitempty"`
}

// Members are the nodes of a cluster, by index. Voters count for a quorum.
type Members struct {
	Voters    []int `json:"voters"`
	NonVoters []int `json:"non_voters,omitempty"`
}

// Size returns the number of members.
func (m Members) Size() int { return len(m.Voters) + len(m.NonVoters) }

// State is a node's role and progress.
type State struct {
	Health  string `json:"health,omitempty"` // a target.State
	Role    string `json:"role,omitempty"`   // leader, follower, candidate, …
	Leader  string `json:"leader,omitempty"` // the leader's ID, as the node knows it
	Term    uint64 `json:"term,omitempty"`
	Commit  uint64 `json:"commit,omitempty"`  // log index
	Applied uint64 `json:"applied,omitempty"` // log index
	// Digest is a hash of everything the node holds at Applied. It is empty in most events.
	Digest string `json:"digest,omitempty"`
}

// Receiver is the node that a message is sent to.
type Receiver struct {
	Node int `json:"node"` // index
}

// Difference is where the answers of two nodes to one query differ.
type Difference struct {
	Query string `json:"query"`
	// Row is the number of the row from 1, where order counts; 0 where it does not.
	Row     int      `json:"row,omitempty"`
	Columns []string `json:"columns,omitempty"` // the names of the columns, if they are known
	Column  string   `json:"column,omitempty"`  // the first one that differs; empty if the whole row does
	Nodes   []Answer `json:"nodes"`             // the two
}

// Answer is what a node has of a row that differs.
type Answer struct {
	Node    int      `json:"node"`
	Applied uint64   `json:"applied,omitempty"` // log index; 0 if that is not known
	Row     []string `json:"row"`               // values as SQL has them, long ones cut; null if the node has no such row
	Count   int      `json:"count,omitempty"`   // how often it has the row, where order does not count
	Only    int      `json:"only,omitempty"`    // how many rows only this node has
}

// Sample is what a node uses, and how far it lags. A number that the target does not know is 0.
type Sample struct {
	Applied    uint64 `json:"applied"`                // log index
	Behind     uint64 `json:"behind"`                 // entries that some node knew to be committed, and this one had not applied
	LogEntries uint64 `json:"log_entries"`            // entries in its log
	Memory     uint64 `json:"memory_bytes,omitempty"` // of the node's process
}
