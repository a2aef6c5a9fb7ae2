package check_test

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// The reference decides small histories from the definitions of the levels alone, by
// trying everything. It shares no code and no idea with the judges.

// explain executes the steps of a transaction on a contents, and tells whether its known
// reads fit.
func explain(s contents, op *journal.Op) bool {
	known := op.Outcome == ok && !op.Unread
	for _, st := range op.Steps {
		switch {
		case st.Do == journal.Read && known && !slices.Equal(st.Got, s[st.Key]):
			return false
		case st.Do == journal.Read:
		case op.Model == journal.List:
			s[st.Key] = append(slices.Clone(s[st.Key]), st.Value)
		default:
			s[st.Key] = []int64{st.Value}
		}
	}
	return true
}

// hasSerialOrder tries all orders of the transactions that are ok and of any of those
// that are unknown.
func hasSerialOrder(h history, strict bool) bool {
	done := make([]bool, len(h))
	var from func(s contents) bool
	from = func(s contents) bool {
		if complete(h, done) {
			return true
		}
		for i, e := range h {
			if done[i] || e.Op.Outcome == failed || strict && begunTooEarly(h, done, i) {
				continue
			}
			after := s.clone()
			if !explain(after, e.Op) {
				continue
			}
			done[i] = true
			if from(after) {
				return true
			}
			done[i] = false
		}
		return false
	}
	return from(contents{})
}

func complete(h history, done []bool) bool {
	for i, e := range h {
		if e.Op.Outcome == ok && !done[i] {
			return false
		}
	}
	return true
}

// begunTooEarly tells whether the next transaction breaks real time: one that had to come
// before it has not, or one that had to come after it has.
func begunTooEarly(h history, done []bool, next int) bool {
	for i, e := range h {
		if i == next {
			continue
		}
		if !done[i] && e.Op.Outcome == ok && precedes(e, h[next]) || done[i] && precedes(h[next], e) {
			return true
		}
	}
	return false
}

func precedes(a, b journal.Event) bool {
	for _, op := range []*journal.Op{a.Op, b.Op} {
		latest := op.Level == strong || op.Final
		if !latest && !changes(op) {
			return false
		}
	}
	if a.Op.Final != b.Op.Final {
		return b.Op.Final
	}
	return a.Op.Outcome == ok && a.At.Add(a.Took).Before(b.At)
}

// hasSnapshots tries all orders of starts and commits: a transaction reads the state
// at its start, and commits if no other has committed a write to one of its keys since
// (Berenson et al., "A Critique of ANSI SQL Isolation Levels", SIGMOD 1995).
func hasSnapshots(h history) bool {
	t := &snapshotTrial{h: h, at: make([]progress, len(h)), tried: map[string]bool{}}
	for i := range h {
		t.writes = append(t.writes, map[string]bool{})
		for _, s := range h[i].Op.Steps {
			if s.Do != journal.Read {
				t.writes[i][s.Key] = true
			}
		}
	}
	return t.from(contents{})
}

// progress is how far a transaction is.
type progress byte

const (
	waiting  progress = 0
	running  progress = 'r' // it has started
	late     progress = 'l' // it has started, and another has committed to one of its keys since
	finished progress = 'f'
)

type snapshotTrial struct {
	h      history
	at     []progress
	writes []map[string]bool
	tried  map[string]bool // in vain
}

func (t *snapshotTrial) from(s contents) bool {
	here := t.key(s)
	if t.tried[here] {
		return false
	}
	t.tried[here] = true
	ended := true
	for i, e := range t.h {
		if e.Op.Outcome == ok && t.at[i] == late {
			return false
		}
		ended = ended && (e.Op.Outcome != ok || t.at[i] == finished)
	}
	if ended {
		return true
	}
	was := slices.Clone(t.at)
	for i, e := range t.h {
		after := s
		switch {
		case e.Op.Outcome == failed:
			continue
		case t.at[i] == running:
			after = s.clone()
			explain(after, &journal.Op{Model: e.Op.Model, Steps: e.Op.Steps})
			t.commit(i)
		case t.at[i] == waiting && explain(s.clone(), e.Op):
			t.at[i] = running
			if len(t.writes[i]) == 0 {
				t.at[i] = finished
			}
		default:
			continue
		}
		if t.from(after) {
			return true
		}
		copy(t.at, was)
	}
	return false
}

func (t *snapshotTrial) commit(i int) {
	t.at[i] = finished
	for j := range t.h {
		for key := range t.writes[i] {
			if t.at[j] == running && t.writes[j][key] {
				t.at[j] = late
			}
		}
	}
}

func (t *snapshotTrial) key(s contents) string {
	var b []byte
	for _, p := range t.at {
		b = append(b, byte(p))
	}
	for _, key := range []string{"k0", "k1", "k2"} {
		b = append(b, '|')
		for _, value := range s[key] {
			b = append(b, byte(value))
		}
	}
	return string(b)
}

func changes(op *journal.Op) bool {
	return slices.ContainsFunc(op.Steps, func(s journal.Step) bool { return s.Do != journal.Read })
}
