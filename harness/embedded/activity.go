package embedded

import (
	"slices"
	"strings"
	"sync"
)

// Activity is a kind of long work of a node. The zero value is none.
type Activity int

// The activities.
const (
	ReplayingLog      Activity = iota + 1 // it applies again what was committed before it started
	TakingSnapshot                        // of its own state machine, until it is stored
	RestoringSnapshot                     // it replaces its state machine by a snapshot
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

// String is the activity in words, as in "taking a snapshot"; empty for none.
func (a Activity) String() string { return activityNames[a] }

// MarshalText is String, for JSON.
func (a Activity) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote. Words of another version of the node are none.
func (a *Activity) UnmarshalText(text []byte) error {
	*a = 0
	for known, name := range activityNames {
		if name == string(text) {
			*a = known
		}
	}
	return nil
}

// Work is an activity that is under way.
type Work struct {
	Activity Activity `json:"activity"`
	To       string   `json:"to,omitempty"` // the ID of the follower that a snapshot is sent to
}

// String is the work in words, as in "sending a snapshot to n1".
func (w Work) String() string {
	if w.To != "" {
		return w.Activity.String() + " to " + w.To
	}
	return w.Activity.String()
}

// activities are the work that is under way. The state machine, the snapshot store and the
// transport that Raft is given report it (watched.go).
type activities struct {
	mu    sync.Mutex
	doing []Work // in the order in which it began
	// unwritten counts the snapshots that were taken of the state machine and for which no sink
	// was requested yet. A sink without such a snapshot is for one that is received.
	unwritten int
}

// begin notes that work begins; end may be called more than once.
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

// inWords is all work, as in "taking a snapshot, sending a snapshot to n1".
func inWords(all []Work) string {
	words := make([]string, len(all))
	for i, work := range all {
		words[i] = work.String()
	}
	return strings.Join(words, ", ")
}
