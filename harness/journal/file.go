package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// line is an event as JSON has it. Times are RFC 3339 with nanoseconds, in UTC.
type line struct {
	At      time.Time     `json:"at"`
	Took    int64         `json:"took_ns,omitempty"`
	Kind    Kind          `json:"kind"`
	Node    int           `json:"node"` // None is -1
	Text    string        `json:"text,omitempty"`
	Err     string        `json:"error,omitempty"`
	Op      *Op           `json:"op,omitempty"`
	State   *State        `json:"state,omitempty"`
	Flag    *FlagChange   `json:"flag,omitempty"`
	Fault   *FaultChange  `json:"fault,omitempty"`
	Boot    *BootInfo     `json:"boot,omitempty"`
	Member  *MemberChange `json:"member,omitempty"`
	Members *Members      `json:"members,omitempty"`
	Sample  *Sample       `json:"sample,omitempty"`
	Spec    *SpecBoundary `json:"spec,omitempty"`
	Poll    *Poll         `json:"poll,omitempty"`
	Place   *Place        `json:"place,omitempty"`
	Differs *Difference   `json:"differs,omitempty"`
	To      *Receiver     `json:"to,omitempty"`
}

// MarshalJSON returns the event as one JSON object.
func (e Event) MarshalJSON() ([]byte, error) {
	return json.Marshal(line{
		e.At.UTC(), int64(e.Took), e.Kind, e.Node, e.Text, e.Err,
		e.Op, e.State, e.Flag, e.Fault, e.Boot, e.Member, e.Members, e.Sample, e.Spec, e.Poll, e.Place, e.Differs, e.To,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote. A field that the format does not have is
// an error.
func (e *Event) UnmarshalJSON(data []byte) error {
	l := line{Node: None}
	if err := strict(data, &l); err != nil {
		return err
	}
	*e = Event{
		l.At, time.Duration(l.Took), l.Kind, l.Node, l.Text, l.Err,
		l.Op, l.State, l.Flag, l.Fault, l.Boot, l.Member, l.Members, l.Sample, l.Spec, l.Poll, l.Place, l.Differs, l.To,
	}
	return nil
}

// strict reads exactly one JSON value, and refuses unknown fields.
func strict(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one JSON value")
	}
	return nil
}

// Encode writes a header and the events as JSON lines. It blocks on w.
func Encode(w io.Writer, events []Event) error { return Save(w, Header{}, events) }

// Save writes the header, with the current Version and this program's Module if it has none, and
// the events as JSON lines, one each. It blocks on w.
func Save(w io.Writer, header Header, events []Event) error {
	header.Version = Version
	if header.Module == "" {
		header.Module = module()
	}
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(header); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
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

// longestLine limits one line, in bytes. It is longer than any event that a journal keeps.
const longestLine = 2 * Limit

// Decode is Load without the header.
func Decode(r io.Reader) ([]Event, error) {
	_, events, err := Load(r)
	return events, err
}

// Load reads a saved journal of this Version or an earlier one. The error names the
// line that is not valid and what is allowed; the events before that line are returned, too. It
// blocks on r.
func Load(r io.Reader) (Header, []Event, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	var header Header
	var events []Event
	first, old := true, upgradeFrom(0)
	n := 0
	for lines.Scan() {
		n++
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		if first && isHeader(text) {
			if err := header.read(text); err != nil {
				return header, nil, fmt.Errorf("read journal: line %d: %w", n, err)
			}
			first, old = false, upgradeFrom(header.Version)
			continue
		}
		first = false
		e, err := readEvent(text, old)
		if err != nil {
			return header, events, fmt.Errorf("read journal: line %d: %w", n, err)
		}
		events = append(events, e)
	}
	if err := lines.Err(); err != nil {
		return header, events, fmt.Errorf("read journal: after line %d: %w", n, err)
	}
	return header, events, nil
}

// readEvent reads a line of an event, and brings it up to the current version.
func readEvent(text []byte, upgrade func(*Event)) (Event, error) {
	var e Event
	if err := json.Unmarshal(text, &e); err != nil {
		return e, err
	}
	upgrade(&e)
	return e, e.Validate()
}
