package harness

import (
	"fmt"
	"strconv"
	"strings"
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
	fmt.Fprintf(&b, "%s and %s differ on %q", e.A, e.B, abridged(e.Query))
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

// literal is a value as SQL writes it, cut to a readable length.
func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".eIN") {
			text += ".0"
		}
		return text
	case string:
		return "'" + strings.ReplaceAll(prefix(v, shownBytes), "'", "''") + "'" + cutOff(len(v))
	case []byte:
		return fmt.Sprintf("x'%x'", v[:min(len(v), shownBytes)]) + cutOff(len(v))
	}
	return fmt.Sprint(v)
}

// shownBytes is how much of a long value is shown.
const shownBytes = 80

func cutOff(bytes int) string {
	if bytes <= shownBytes {
		return ""
	}
	return fmt.Sprintf("… (%d bytes)", bytes)
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
		out[i] = literal(v)
	}
	return "(" + strings.Join(out, ", ") + ")"
}
