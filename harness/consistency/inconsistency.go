package consistency

import (
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// InconsistencyError says where the answers of two nodes differ.
type InconsistencyError struct {
	Query string
	A, B  string // the nodes, as in "node 0 (n0)"
	// Row is the number of the row from 1, where order counts; 0 where it does not.
	Row int
	// Column is the column that differs; empty if a whole row is missing.
	Column string
	// ValueA and ValueB are what the nodes have there, as SQL literals; empty for nothing.
	ValueA, ValueB string
	// Detail says the rest: which row it is, or which is missing, and how many differ.
	Detail string
}

func (e *InconsistencyError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s and %s differ on %q", e.A, e.B, sqltext.Abridged(e.Query))
	if e.Row > 0 {
		fmt.Fprintf(&b, ", row %d", e.Row)
	}
	if e.Column != "" {
		fmt.Fprintf(&b, ", column %s: %s has %s, %s has %s", e.Column, e.A, e.ValueA, e.B, e.ValueB)
	}
	if e.Detail != "" {
		fmt.Fprintf(&b, ": %s", e.Detail)
	}
	return b.String()
}

// firstDifference is the number, from 1, of the first byte in which two values
// of one type differ.
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
