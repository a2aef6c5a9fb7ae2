package consistency

import (
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Kind is what differs.
type Kind string

// The kinds of differences.
const (
	Value    Kind = "value"     // a value: both nodes have the row, and Column differs
	Missing  Kind = "row"       // a row: one node has it less often than the other, or not at all
	Columns  Kind = "columns"   // the columns of the answers
	TooLarge Kind = "too large" // rows, but too many or too large to tell which
	Gone     Kind = "gone"      // rows at the first read, and none at the second: the data was being changed
)

// InconsistencyError says where the answers of two nodes differ.
type InconsistencyError struct {
	Query string
	Kind  Kind
	A, B  Side
	// Row is the number of the row from 1, where order counts; 0 where it does not.
	Row int
	// Column is the name of the first column that differs, or its number from 1 if it has no
	// name; for a Value.
	Column string
	// Header has the names of the columns, for a Value and a Missing row.
	Header []string
	// Sampling is above 1 if too much differed to be held: only one key in so many was read,
	// and Only counts those.
	Sampling uint64
}

// Side is what one of the two nodes has.
type Side struct {
	Node    int // index
	ID      string
	Applied uint64   // the log index that it had applied; 0 if that is not known
	Columns []string // for Columns: names, with types where order counts
	Row     []any    // the row that differs; nil if the node has none
	Value   any      // for a Value: what the row has in Column
	Count   int      // for a Missing row without an order: how often the row is there
	Only    int      // without an order: how many rows only this node has
	Total   int      // without an order: how many rows were in the parts that differ
}

func newDifference(kind Kind, query string, a, b Node) *InconsistencyError {
	return &InconsistencyError{Query: query, Kind: kind,
		A: Side{Node: a.Index(), ID: a.ID()}, B: Side{Node: b.Index(), ID: b.ID()}}
}

// names are those of columns.
func names(columns []target.Column) []string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = c.Name
	}
	return all
}

// pointAtColumn finds the first column in which the rows differ.
func (e *InconsistencyError) pointAtColumn(columns []target.Column) {
	e.Kind = Value
	for i := range min(len(e.A.Row), len(e.B.Row)) {
		if typed(e.A.Row[i]) == typed(e.B.Row[i]) {
			continue
		}
		e.Column = fmt.Sprint(i + 1)
		if i < len(columns) {
			e.Column = columns[i].Name
		}
		e.A.Value, e.B.Value = e.A.Row[i], e.B.Row[i]
		return
	}
}

// typed tells values apart that look alike in text, or are cut there.
func typed(v any) string { return fmt.Sprintf("%T %v", v, v) }

// String returns the node as in "node 0 (n0)".
func (s Side) String() string { return fmt.Sprintf("node %d (%s)", s.Node, s.ID) }

func (e *InconsistencyError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s and %s differ on %q", e.A, e.B, sqltext.Abridged(e.Query))
	if e.Row > 0 {
		fmt.Fprintf(&b, ", row %d", e.Row)
	}
	switch e.Kind {
	case Value:
		b.WriteString(e.values())
	case Missing:
		b.WriteString(": " + e.missing())
	case Columns:
		fmt.Fprintf(&b, ": the columns are (%s) and (%s)", strings.Join(e.A.Columns, ", "), strings.Join(e.B.Columns, ", "))
	case TooLarge:
		fmt.Fprintf(&b, ": of %d and of %d rows some differ, too many or too large to be compared one by one", e.A.Total, e.B.Total)
	case Gone:
		b.WriteString(": they differed at the first read and no longer at the second: the data is being changed")
	}
	if (e.Kind == Value || e.Kind == Missing) && e.Row == 0 {
		fmt.Fprintf(&b, "; rows only on %s: %d, only on %s: %d", e.A, e.A.Only, e.B, e.B.Only)
		if e.Sampling > 1 {
			fmt.Fprintf(&b, ", in the 1/%d of the keys that was read", e.Sampling)
		}
	}
	return b.String()
}

// values says which value differs, and in which rows.
func (e *InconsistencyError) values() string {
	rows := fmt.Sprintf(": the rows are %s and %s", literals(e.A.Row), literals(e.B.Row))
	if e.Column == "" {
		return rows
	}
	a, b := sqltext.Literal(e.A.Value), sqltext.Literal(e.B.Value)
	text := fmt.Sprintf(", column %s: %s has %s, %s has %s", e.Column, e.A, a, e.B, b) + rows
	if a == b { // beyond what is shown
		text += fmt.Sprintf("; the values differ from byte %d on", firstDifference(e.A.Value, e.B.Value))
	}
	return text
}

// missing says which row one node lacks, or has less often.
func (e *InconsistencyError) missing() string {
	has, lacks := e.A, e.B
	if has.Row == nil || lacks.Count > has.Count {
		has, lacks = e.B, e.A
	}
	switch {
	case e.Row > 0:
		return fmt.Sprintf("%s has %s, %s has no more rows", has, literals(has.Row), lacks)
	case lacks.Count == 0:
		return fmt.Sprintf("%s is missing from %s", literals(has.Row), lacks)
	}
	return fmt.Sprintf("%s is there %d times on %s and %d times on %s", literals(has.Row), has.Count, has, lacks.Count, lacks)
}

// firstDifference is the number, from 1, of the first byte in which two values of one type
// differ.
func firstDifference(a, b any) int {
	textA, textB := fmt.Sprintf("%s", a), fmt.Sprintf("%s", b)
	i := 0
	for i < min(len(textA), len(textB)) && textA[i] == textB[i] {
		i++
	}
	return i + 1
}

func literals(row []any) string {
	out := make([]string, len(row))
	for i, v := range row {
		out[i] = sqltext.Literal(v)
	}
	return "(" + strings.Join(out, ", ") + ")"
}
