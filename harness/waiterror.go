package harness

import (
	"fmt"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// WaitError says that a node did not come online, or did not catch up, in time, and what it
// showed meanwhile.
type WaitError struct {
	Node    int
	ID      string
	Purpose string        // what it was awaited for, as in "to apply index 7"; empty means to be online
	Flag    bool          // whether its flag was up
	Target  uint64        // the log index it had to apply; 0 if no node could tell
	Last    target.Status // what it showed at the last probe that it answered
	// ProbeErr is why the last probe failed; nil if the node answered it.
	ProbeErr error
	// Voters is how many members vote, and OnlineVoters how many of those have their flag up.
	Voters, OnlineVoters int
	Waited               time.Duration // how long the wait took; 0 if it was to be online
	Err                  error         // what ended the wait; ErrFailed or ErrUnreachable if waiting longer was useless

	phases []phase
}

// phase is consecutive probes that saw one state.
type phase struct {
	state       target.State
	probes      int
	first, last uint64 // how many log entries were missing at the first and the last probe
}

// maxPhases bounds how many phases are kept: the first and the latest.
const maxPhases = 12

// Behind is how many log entries were missing at the last probe that the node answered.
func (e *WaitError) Behind() uint64 {
	if e.Last.AppliedIndex >= e.Target {
		return 0
	}
	return e.Target - e.Last.AppliedIndex
}

// probed notes what a probe showed. The end of ctx is not noted as why a probe failed, if an
// earlier one was answered.
func (e *WaitError) probed(status target.Status, err error, ended bool) {
	switch {
	case err == nil:
		e.ProbeErr = nil
		e.saw(status)
	case !ended || len(e.phases) == 0:
		e.ProbeErr = err
	}
}

func (e *WaitError) saw(status target.Status) {
	e.Last = status
	behind := e.Behind()
	if n := len(e.phases); n > 0 && e.phases[n-1].state == status.State {
		e.phases[n-1].probes++
		e.phases[n-1].last = behind
		return
	}
	if len(e.phases) == maxPhases {
		e.phases = append(e.phases[:1], e.phases[2:]...)
	}
	e.phases = append(e.phases, phase{state: status.State, probes: 1, first: behind, last: behind})
}

func (e *WaitError) Error() string {
	purpose := "to be online"
	if e.Purpose != "" {
		purpose = e.Purpose
	}
	var said []string
	if !e.Flag {
		said = append(said, "its flag says offline, and it was not brought back")
	}
	if missing := missingQuorum(e.OnlineVoters, e.Voters); missing != "" {
		said = append(said, missing)
	}
	said = append(said, e.lastSeen())
	if history := e.history(); history != "" {
		said = append(said, history)
	}
	if e.Purpose != "" {
		said = append(said, fmt.Sprintf("waited %v", e.Waited.Round(time.Millisecond)))
	}
	return fmt.Sprintf("wait for node %d (%s) %s: %s: %v", e.Node, e.ID, purpose, strings.Join(said, "; "), e.Err)
}

// lastSeen says what the node last showed.
func (e *WaitError) lastSeen() string {
	if len(e.phases) == 0 && e.ProbeErr != nil {
		return fmt.Sprintf("it could not be asked: %v", e.ProbeErr)
	}
	text := fmt.Sprintf("it was last seen %s", e.Last.State)
	if e.Last.Reason != "" {
		text += fmt.Sprintf(" (%s)", e.Last.Reason)
	}
	if e.Last.State != target.Offline {
		if e.Behind() > 0 {
			text += ", " + entriesBehind(e.Behind())
		}
		leader := "no leader"
		if e.Last.Leader != "" {
			leader = "leader " + e.Last.Leader
		}
		text += fmt.Sprintf(", applied index %d of %d, %s", e.Last.AppliedIndex, e.Target, leader)
	}
	if doing := e.Last.Activities.String(); doing != "" {
		text += ", " + doing
	}
	if e.ProbeErr != nil {
		text += fmt.Sprintf(", and then could not be asked: %v", e.ProbeErr)
	}
	return text
}

// history says what all probes showed, if that is more than the last of them did.
func (e *WaitError) history() string {
	if len(e.phases) == 0 || len(e.phases) == 1 && e.phases[0].first == e.phases[0].last {
		return ""
	}
	words := make([]string, len(e.phases))
	for i, p := range e.phases {
		words[i] = p.String()
	}
	return "history: " + strings.Join(words, ", then ")
}

// String is the phase as in "syncing 12 times, 400 to 25 behind".
func (p phase) String() string {
	text := fmt.Sprintf("%s %d times", p.state, p.probes)
	if p.probes == 1 {
		text = fmt.Sprintf("%s once", p.state)
	}
	switch {
	case p.state == target.Offline:
		return text
	case p.first == p.last:
		return fmt.Sprintf("%s, %d behind", text, p.last)
	}
	return fmt.Sprintf("%s, %d to %d behind", text, p.first, p.last)
}

func entriesBehind(entries uint64) string {
	if entries == 1 {
		return "1 entry behind"
	}
	return fmt.Sprintf("%d entries behind", entries)
}

func (e *WaitError) Unwrap() error { return e.Err }
