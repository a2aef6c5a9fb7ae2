package progress

import (
	"encoding/json"
	"fmt"
	"time"
)

// Kind is the kind of an event.
type Kind string

// The kinds.
const (
	Titled Kind = "title" // what follows is about Text; whatever was under way is over
	Begun  Kind = "begin" // a work of many parts begins: Work
	Said   Kind = "say"   // more about the work, in words: Text
	Starts Kind = "start" // Worker starts the part Text
	Ends   Kind = "end"   // Worker has ended the part Text: Outcome, Took
)

// Outcome is how a part ended.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Work is a number of parts, such as the specs of a suite.
type Work struct {
	Name string `json:"name,omitempty"` // tells works of one unit apart, such as the description of a suite
	Unit string `json:"unit,omitempty"` // what the parts are, in the plural: specs
	All  int    `json:"all,omitempty"`  // how many there are; 0 if that is not known
	// For is how long the work takes if it is work for a time; otherwise 0.
	For time.Duration `json:"for_ns,omitempty"`
}

// Event says how far a work is. The comments of the kinds name the fields that an event of the kind has.
type Event struct {
	Kind    Kind          `json:"kind"`
	Work    *Work         `json:"work,omitempty"`
	Worker  int           `json:"worker,omitempty"` // a worker is at one part at a time
	Text    string        `json:"text,omitempty"`
	Outcome Outcome       `json:"outcome,omitempty"`
	Took    time.Duration `json:"took_ns,omitempty"`
}

// Decode returns the event of a line.
func Decode(line []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(line, &e); err != nil {
		return Event{}, fmt.Errorf("%q is no event of progress: %w", line, err)
	}
	if e.Kind == Begun && e.Work == nil {
		return Event{}, fmt.Errorf("%q begins no work", line)
	}
	return e, nil
}
