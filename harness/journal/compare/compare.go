package compare

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Left names the differences that equal journals may have.
const Left = "Left out: addresses of memory, numbers of goroutines, and names of temporary directories, in what went wrong."

// Parting is the first difference between two journals.
type Parting struct {
	Index  int     // the number of equal events before it
	Fields []Field // the differing fields; empty if one journal ends there
	A, B   []journal.Event
}

// Field is a field of an event as JSON, in both journals; empty if one has none.
type Field struct{ Name, A, B string }

// Journals returns the first difference of two journals, or nil if they are equal: the same events in
// the same order, with equal fields, times and durations. Headers and messages
// are not compared: earlier journals have none.
func Journals(a, b []journal.Event) (*Parting, error) {
	message := func(e journal.Event) bool { return e.Kind == journal.Message }
	a, b = slices.DeleteFunc(slices.Clone(a), message), slices.DeleteFunc(slices.Clone(b), message)
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) {
			return &Parting{Index: i, A: a, B: b}, nil
		}
		fields, err := differences(a[i], b[i])
		if err != nil {
			return nil, err
		}
		if len(fields) > 0 {
			return &Parting{Index: i, Fields: fields, A: a, B: b}, nil
		}
	}
	return nil, nil
}

// differences returns the fields in which two events differ, ordered by name.
func differences(a, b journal.Event) ([]Field, error) {
	ofA, err := fieldsOf(a)
	if err != nil {
		return nil, err
	}
	ofB, err := fieldsOf(b)
	if err != nil {
		return nil, err
	}
	var fields []Field
	for name := range ofA {
		if !bytes.Equal(ofA[name], ofB[name]) {
			fields = append(fields, Field{name, string(ofA[name]), string(ofB[name])})
		}
	}
	for name := range ofB {
		if _, both := ofA[name]; !both {
			fields = append(fields, Field{name, "", string(ofB[name])})
		}
	}
	slices.SortFunc(fields, func(a, b Field) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return fields, nil
}

func fieldsOf(e journal.Event) (map[string]json.RawMessage, error) {
	e.Err = withoutChance(e.Err)
	line, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	return fields, json.Unmarshal(line, &fields)
}

// The parts of error texts that do not depend on the seed.
var (
	address   = regexp.MustCompile(`0x[0-9a-f]{6,}`)
	goroutine = regexp.MustCompile(`\bgoroutine \d+`)
	directory = regexp.MustCompile(`[^\s"']*/rejoin-[^/\s"']*`) // as package rundir names them
)

func withoutChance(text string) string {
	text = address.ReplaceAllString(text, "0x…")
	text = goroutine.ReplaceAllString(text, "goroutine …")
	return directory.ReplaceAllString(text, "…/rejoin-…")
}
