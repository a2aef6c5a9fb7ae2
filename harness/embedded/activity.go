package embedded

import (
	"slices"
	"strings"
	"sync"
)

// Activity is a kind of long-running work of a node. The zero value is no activity.
type Activity int

// The activities.
const (
	ReplayingLog      Activity = iota + 1 // applying the entries that were committed before the start
	TakingSnapshot                        // of its own state machine, until the snapshot is stored
	RestoringSnapshot                     // replacing the state machine's content with a snapshot
	ReceivingSnapshot                     // from the leader, until it is stored
	SendingSnapshot                       // to a follower
)

var activityNames = map[Activity]string{
	ReplayingLog:      "replaying the log",
	TakingSnapshot:    "taking a snapshot",
	RestoringSnapshot: "restoring a snapshot",
	ReceivingSnapshot: "receiving a snapshot",
	SendingSnapshot:   "sending a snapshot",
}

// String returns the activity in words, such as "taking a snapshot"; empty for none.
func (a Activity) String() string { return activityNames[a] }

// MarshalText returns String, for JSON.
func (a Activity) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the output of MarshalText. Activities that this version does not know become none.
func (a *Activity) UnmarshalText(text []byte) error {
	*a = 0
	for known, name := range activityNames {
		if name == string(text) {
			*a = known
		}
	}
	return nil
}

// Work is an activity in progress.
type Work struct {
	Activity Activity `json:"activity"`
	To       string   `json:"to,omitempty"` // the ID of the follower that a snapshot is sent to
}

// String returns the work in words, such as "sending a snapshot to n1".
func (w Work) String() string {
	if w.To != "" {
		return w.Activity.String() + " to " + w.To
	}
	return w.Activity.String()
}

// activities tracks the work in progress. The decorators of the state machine, the snapshot store
// and the transport report it (watched.go).
type activities struct {
	mu    sync.Mutex
	doing []Work // in order of start
	// unwritten counts snapshots of the state machine for which Raft has not created a sink yet. A
	// sink that is created while it is 0 is for a snapshot from the leader.
	unwritten int
}

// begin records the start of work; end may be called more than once.
func (a *activities) begin(work Work) (end func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.beginLocked(work)
}

func (a *activities) beginLocked(work Work) (end func()) {
	a.doing = append(a.doing, work)
	return sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if i := slices.Index(a.doing, work); i >= 0 {
			a.doing = slices.Delete(a.doing, i, i+1)
		}
	})
}

func (a *activities) current() []Work {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.doing)
}

// inWords returns all work in words, such as "taking a snapshot, sending a snapshot to n1".
func inWords(all []Work) string {
	words := make([]string, len(all))
	for i, work := range all {
		words[i] = work.String()
	}
	return strings.Join(words, ", ")
}
