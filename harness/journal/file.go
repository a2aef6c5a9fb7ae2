package journal

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// line is an event as JSON has it. Times are RFC 3339 with nanoseconds, in UTC.
type line struct {
	At    time.Time `json:"at"`
	Took  int64     `json:"took_ns,omitempty"`
	Kind  Kind      `json:"kind"`
	Node  int       `json:"node"` // Nobody is -1
	Text  string    `json:"text,omitempty"`
	Err   string    `json:"error,omitempty"`
	Op    *Op       `json:"op,omitempty"`
	State *State    `json:"state,omitempty"`
}

// MarshalJSON is the event as one JSON object.
func (e Event) MarshalJSON() ([]byte, error) {
	return json.Marshal(line{e.At.UTC(), int64(e.Took), e.Kind, e.Node, e.Text, e.Err, e.Op, e.State})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Event) UnmarshalJSON(data []byte) error {
	l := line{Node: Nobody}
	if err := json.Unmarshal(data, &l); err != nil {
		return err
	}
	*e = Event{l.At, time.Duration(l.Took), l.Kind, l.Node, l.Text, l.Err, l.Op, l.State}
	return nil
}

// Encode writes events as JSON lines, one an event.
func Encode(w io.Writer, events []Event) error {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, e := range events {
		if err := encoder.Encode(e); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// longestLine bounds one event, in bytes: longer than any that a journal keeps.
const longestLine = 2 * Limit

// Decode reads what Encode wrote. The error names the line that is no event; the
// events before it are returned all the same.
func Decode(r io.Reader) ([]Event, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	var events []Event
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var e Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return events, fmt.Errorf("read journal: line %d: %w", n, err)
		}
		if err := e.validate(); err != nil {
			return events, fmt.Errorf("read journal: line %d: %w", n, err)
		}
		events = append(events, e)
	}
	if err := lines.Err(); err != nil {
		return events, fmt.Errorf("read journal: after line %d: %w", len(events), err)
	}
	return events, nil
}

// validate refuses what would be taken for something else.
func (e Event) validate() error {
	switch {
	case e.Kind == "":
		return fmt.Errorf("an event has no kind")
	case e.At.IsZero():
		return fmt.Errorf("a %s has no time", e.Kind)
	case e.Took < 0:
		return fmt.Errorf("a %s took %v", e.Kind, e.Took)
	case e.Kind == Operation && e.Op == nil:
		return fmt.Errorf("an operation says nothing of what became of it")
	case e.Op == nil:
		return nil
	}
	switch e.Op.Outcome {
	case OK, Failed, Unknown:
		return nil
	}
	return fmt.Errorf("an operation has the outcome %q: it is %s, %s or %s", e.Op.Outcome, OK, Failed, Unknown)
}
