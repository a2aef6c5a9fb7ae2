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

// Version is the version of the format that Save writes. FORMAT.md documents it.
// Version 0 had no header.
const Version = 1

// Header is the first line of a saved journal: where the events come from.
type Header struct {
	Version int `json:"rejoin_journal"`
	// Seed, Target and Nodes are those of the cluster, if there was one.
	Seed   uint64 `json:"seed,omitempty"`
	Target string `json:"target,omitempty"`
	Nodes  int    `json:"nodes,omitempty"`
	// Dropped is how many events of each kind the journal lost before it was saved.
	Dropped map[Kind]int `json:"dropped,omitempty"`
}

// line is an event as JSON has it. Times are RFC 3339 with nanoseconds, in UTC.
type line struct {
	At      time.Time   `json:"at"`
	Took    int64       `json:"took_ns,omitempty"`
	Kind    Kind        `json:"kind"`
	Node    int         `json:"node"` // Nobody is -1
	Text    string      `json:"text,omitempty"`
	Err     string      `json:"error,omitempty"`
	Op      *Op         `json:"op,omitempty"`
	State   *State      `json:"state,omitempty"`
	Flag    *FlagChange `json:"flag,omitempty"`
	Members *Members    `json:"members,omitempty"`
}

// MarshalJSON is the event as one JSON object.
func (e Event) MarshalJSON() ([]byte, error) {
	return json.Marshal(line{e.At.UTC(), int64(e.Took), e.Kind, e.Node, e.Text, e.Err, e.Op, e.State, e.Flag, e.Members})
}

// UnmarshalJSON reads what MarshalJSON wrote. A field that the format does not have is
// an error.
func (e *Event) UnmarshalJSON(data []byte) error {
	l := line{Node: Nobody}
	if err := strict(data, &l); err != nil {
		return err
	}
	*e = Event{l.At, time.Duration(l.Took), l.Kind, l.Node, l.Text, l.Err, l.Op, l.State, l.Flag, l.Members}
	return nil
}

// strict reads one JSON value, all of it, without unknown fields.
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

// Header is the first line of the journal, if it is saved now.
func (j *Journal) Header() Header {
	j.mu.Lock()
	defer j.mu.Unlock()
	h := Header{Version: Version}
	for kind, n := range j.dropped {
		if n > 0 {
			if h.Dropped == nil {
				h.Dropped = make(map[Kind]int)
			}
			h.Dropped[kind] = n
		}
	}
	return h
}

// Encode writes a header and the events as JSON lines. It blocks on w.
func Encode(w io.Writer, events []Event) error { return Save(w, Header{}, events) }

// Save writes the header, of the current Version, and the events as JSON lines, one
// each. It blocks on w.
func Save(w io.Writer, header Header, events []Event) error {
	header.Version = Version
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

// longestLine bounds one event, in bytes: longer than any that a journal keeps.
const longestLine = 2 * Limit

// Decode is Load without the header.
func Decode(r io.Reader) ([]Event, error) {
	_, events, err := Load(r)
	return events, err
}

// Load reads a saved journal of this Version or an earlier one. The error names the
// line that is not valid and what is allowed; the events before it are returned with
// it. It blocks on r.
func Load(r io.Reader) (Header, []Event, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	var header Header
	var events []Event
	first, old := true, &version0{}
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
			first, old = false, nil
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

func isHeader(text []byte) bool {
	var h struct {
		Version *int `json:"rejoin_journal"`
	}
	return json.Unmarshal(text, &h) == nil && h.Version != nil
}

func (h *Header) read(text []byte) error {
	if err := strict(text, h); err != nil {
		return err
	}
	if h.Version < 1 || h.Version > Version {
		return fmt.Errorf("the journal has version %d: this program reads versions up to %d", h.Version, Version)
	}
	return nil
}

// readEvent reads a line; of a journal without a header if old is not nil.
func readEvent(text []byte, old *version0) (Event, error) {
	var e Event
	if err := json.Unmarshal(text, &e); err != nil {
		return e, err
	}
	if old != nil {
		old.upgrade(&e)
	}
	return e, e.Validate()
}
