package page

import (
	"encoding/json"
	"fmt"
	"io"
)

// traceEvent is an event of the Trace Event Format, which ui.perfetto.dev and chrome://tracing open. Times are microseconds.
type traceEvent struct {
	Name  string         `json:"name"`
	Phase string         `json:"ph"` // X: lasted; i: a moment; C: a number; M: a name
	At    float64        `json:"ts"`
	Took  float64        `json:"dur,omitempty"`
	Pid   int            `json:"pid"` // a process is a journal
	Tid   int            `json:"tid"` // a thread is a lane
	Scope string         `json:"s,omitempty"`
	Args  map[string]any `json:"args,omitempty"`
}

// Perfetto writes all traces in the Trace Event Format: a process a journal, a thread a lane. It blocks on w.
func (c *Collection) Perfetto(w io.Writer) error {
	x := exporter{w: w, encoder: json.NewEncoder(w)}
	if _, err := io.WriteString(w, `{"displayTimeUnit":"ns","traceEvents":[`+"\n"); err != nil {
		return fmt.Errorf("write trace: %w", err)
	}
	for _, s := range c.journals {
		trace, err := s.trace()
		if err != nil {
			return fmt.Errorf("write trace: %s: %w", s.path, err)
		}
		x.pid, x.tid, x.words = s.about.ID+1, 0, trace.Words
		x.put(traceEvent{Name: "process_name", Phase: "M", Args: map[string]any{"name": s.tells.Name}})
		x.trace(trace)
	}
	if x.err == nil {
		_, x.err = io.WriteString(w, "]}\n")
	}
	if x.err != nil {
		return fmt.Errorf("write trace: %w", x.err)
	}
	return nil
}

type exporter struct {
	w        io.Writer
	encoder  *json.Encoder
	pid, tid int
	words    []string
	some     bool
	err      error
}

func (x *exporter) put(e traceEvent) {
	if x.err != nil {
		return
	}
	if x.some {
		if _, x.err = io.WriteString(x.w, ","); x.err != nil {
			return
		}
	}
	x.some = true
	e.Pid, e.Tid = x.pid, x.tid
	x.err = x.encoder.Encode(e)
}

func (x *exporter) trace(t Trace) {
	x.lane("steps", t.Steps)
	for _, n := range t.Nodes {
		x.lane(fmt.Sprintf("node %d health", n.Index), n.Health)
		x.lane(fmt.Sprintf("node %d role", n.Index), n.Roles)
		x.lane(fmt.Sprintf("node %d away", n.Index), n.Away)
		x.lane(fmt.Sprintf("node %d marks", n.Index), n.Marks)
		for i, at := range n.Samples.At {
			x.put(traceEvent{Name: fmt.Sprintf("node %d applied", n.Index), Phase: "C", At: micros(at),
				Args: map[string]any{"applied": n.Samples.Applied[i], "behind": n.Samples.Behind[i]}})
		}
	}
	for _, lanes := range [][]Lane{t.Faults, t.Clients, t.Waits} {
		for _, l := range lanes {
			x.lane(l.Name, l.Spans)
		}
	}
}

// lane writes the spans of a lane under a name of its own; nothing if it has none.
func (x *exporter) lane(name string, spans []Span) {
	if len(spans) == 0 {
		return
	}
	x.tid++
	x.put(traceEvent{Name: "thread_name", Phase: "M", Args: map[string]any{"name": name}})
	x.put(traceEvent{Name: "thread_sort_index", Phase: "M", Args: map[string]any{"sort_index": x.tid}})
	for _, s := range spans {
		e := traceEvent{Name: s.Is, Phase: "X", At: micros(s.From), Took: micros(s.To - s.From), Args: map[string]any{"event": x.words[s.Event]}}
		if s.Is == "step" {
			e.Name = s.Text
		}
		if s.To == s.From {
			e.Phase, e.Scope = "i", "t"
		}
		x.put(e)
	}
}

func micros(ns int64) float64 { return float64(ns) / 1000 }
