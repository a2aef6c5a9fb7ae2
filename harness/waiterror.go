package harness

import (
	"fmt"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// WaitError says that a node did not come online, or did not catch up, in time, and
// what it showed.
type WaitError struct {
	Node    int
	ID      string
	Purpose string        // what it was awaited for, as in "to apply index 7"; empty means to be online
	Flag    bool          // whether its flag was up
	Target  uint64        // the log index it had to apply; 0 if no node could say
	Last    target.Status // what it showed when it last could be asked
	Shown   []Stretch     // what it showed at all looks, in order
	Seen    error         // why it could not be asked at the last look; nil if it could
	Waited  time.Duration // how long the wait took; 0 if it was to be online
	Err     error         // what ended the wait; ErrFailed or ErrUnreachable if waiting longer was useless
}

// Stretch is looks in a row that saw one state.
type Stretch struct {
	State       target.State
	Looks       int
	First, Last uint64 // how many log entries were missing at the first and the last look
}

// mostStretches bounds how many are kept; a node that flaps has more.
const mostStretches = 12

// Behind is how many log entries were missing at the last look.
func (e *WaitError) Behind() uint64 {
	if e.Last.AppliedIndex >= e.Target {
		return 0
	}
	return e.Target - e.Last.AppliedIndex
}

// saw adds a look.
func (e *WaitError) saw(status target.Status) {
	e.Last = status
	behind := e.Behind()
	if n := len(e.Shown); n > 0 && e.Shown[n-1].State == status.State {
		e.Shown[n-1].Looks++
		e.Shown[n-1].Last = behind
		return
	}
	if len(e.Shown) == mostStretches { // the first is kept, and the latest
		e.Shown = append(e.Shown[:1], e.Shown[2:]...)
	}
	e.Shown = append(e.Shown, Stretch{State: status.State, Looks: 1, First: behind, Last: behind})
}

func (e *WaitError) Error() string {
	flag := "its flag says offline and nobody brought it back"
	if e.Flag {
		flag = "its flag says online"
	}
	purpose, waited := "to be online", ""
	if e.Purpose != "" {
		purpose, waited = e.Purpose, fmt.Sprintf("; it was awaited for %v", e.Waited.Round(time.Millisecond))
	}
	return fmt.Sprintf("wait for node %d (%s) %s: %s; %s%s: %v", e.Node, e.ID, purpose, flag, e.shown(), waited, e.Err)
}

func (e *WaitError) shown() string {
	if e.Last.State == "" && e.Seen != nil {
		return fmt.Sprintf("it could not be asked: %v", e.Seen)
	}
	text := fmt.Sprintf("it last showed state %s", e.Last.State)
	if e.Last.Reason != "" {
		text += fmt.Sprintf(" (%s)", e.Last.Reason)
	}
	if e.Last.State != target.Offline {
		text += fmt.Sprintf(", leader %q, applied index %d of %d, %d behind", e.Last.Leader, e.Last.AppliedIndex, e.Target, e.Behind())
	}
	if doing := e.Last.Activities.String(); doing != "" {
		text += ", " + doing
	}
	if e.Seen != nil {
		text += fmt.Sprintf(", and then could not be asked: %v", e.Seen)
	}
	if len(e.Shown) > 1 || len(e.Shown) == 1 && e.Shown[0].First != e.Shown[0].Last {
		stretches := make([]string, len(e.Shown))
		for i, s := range e.Shown {
			stretches[i] = s.String()
		}
		text += "; at all looks " + strings.Join(stretches, ", then ")
	}
	return text
}

// String is the stretch as in "syncing 12 times, 400 to 25 behind".
func (s Stretch) String() string {
	text := fmt.Sprintf("%s %d times", s.State, s.Looks)
	if s.Looks == 1 {
		text = fmt.Sprintf("%s once", s.State)
	}
	switch {
	case s.State == target.Offline:
		return text
	case s.First == s.Last:
		return fmt.Sprintf("%s, %d behind", text, s.Last)
	}
	return fmt.Sprintf("%s, %d to %d behind", text, s.First, s.Last)
}

func (e *WaitError) Unwrap() error { return e.Err }
