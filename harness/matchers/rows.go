package matchers

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
)

// Row is an expected row for HaveRows. Each value is a Go value (integers and floats of any size,
// string, []byte, bool, nil), or a matcher for an int64, float64, string, []byte or nil.
func Row(values ...any) []any { return values }

// HaveRows succeeds for an answer with exactly these rows, in this order. It takes a
// harness.Result, or the []harness.Result of ExecuteOnAll: each must have the rows, and come from
// another node.
func HaveRows(rows ...[]any) types.GomegaMatcher { return &haveRows{expected: rows} }

type haveRows struct {
	expected [][]any
	found    string
}

func (m *haveRows) Match(actual any) (bool, error) {
	var results []harness.Result
	switch a := actual.(type) {
	case harness.Result:
		results = []harness.Result{a}
	case []harness.Result:
		results = a
	default:
		return false, fmt.Errorf("HaveRows takes a harness.Result or a []harness.Result, not a %T", actual)
	}
	if len(results) == 0 {
		return false, fmt.Errorf("HaveRows was given no result")
	}
	seen := make(map[int]bool)
	for _, r := range results {
		if seen[r.Node] {
			m.found = fmt.Sprintf("node %d (%s) answered twice", r.Node, r.ID)
			return false, nil
		}
		seen[r.Node] = true
		difference, err := m.differs(r)
		if err != nil || difference != "" {
			m.found = fmt.Sprintf("node %d (%s) %s", r.Node, r.ID, difference)
			return false, err
		}
	}
	m.found = "the answer has these rows"
	return true, nil
}

// differs describes the first difference; "" if there is none.
func (m *haveRows) differs(r harness.Result) (string, error) {
	rows := r.Rows()
	for i := range min(len(rows), len(m.expected)) {
		if len(rows[i]) != len(m.expected[i]) {
			return fmt.Sprintf("has %d columns, not %d", len(rows[i]), len(m.expected[i])), nil
		}
		for j, want := range m.expected[i] {
			matcher := valueMatcher(want)
			holds, err := matcher.Match(rows[i][j])
			if err != nil {
				return "", fmt.Errorf("row %d, column %d: %w", i+1, j+1, err)
			}
			if !holds {
				return fmt.Sprintf("differs in row %d, column %d: %s\nThe answer was:\n%s",
					i+1, j+1, matcher.FailureMessage(rows[i][j]), table(rows)), nil
			}
		}
	}
	if len(rows) != len(m.expected) {
		return fmt.Sprintf("has %d rows, not %d:\n%s", len(rows), len(m.expected), table(rows)), nil
	}
	return "", nil
}

// valueMatcher converts Go's numbers to those of SQL.
func valueMatcher(want any) types.GomegaMatcher {
	if matcher, ok := want.(types.GomegaMatcher); ok {
		return matcher
	}
	switch v := reflect.ValueOf(want); v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return gomega.Equal(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if v.Uint() <= math.MaxInt64 {
			return gomega.Equal(int64(v.Uint()))
		}
	case reflect.Float32, reflect.Float64:
		return gomega.Equal(v.Float())
	case reflect.Bool:
		if v.Bool() {
			return gomega.Equal(int64(1))
		}
		return gomega.Equal(int64(0))
	case reflect.String:
		return gomega.Equal(v.String())
	case reflect.Invalid:
		return gomega.BeNil()
	default:
	}
	return gomega.Equal(want)
}

func (m *haveRows) FailureMessage(any) string {
	return fmt.Sprintf("Expected the rows\n%s\nbut %s", table(m.expected), m.found)
}

func (m *haveRows) NegatedFailureMessage(any) string {
	return fmt.Sprintf("Expected other rows than\n%s\nbut %s", table(m.expected), m.found)
}

// table is the first rows as text, one per line.
func table(rows [][]any) string {
	const most = 20
	if len(rows) == 0 {
		return "    (no rows)"
	}
	var b strings.Builder
	for i, row := range rows {
		if i == most {
			fmt.Fprintf(&b, "    … and %d more\n", len(rows)-most)
			break
		}
		b.WriteString("    ")
		for j, v := range row {
			if j > 0 {
				b.WriteString(" | ")
			}
			fmt.Fprint(&b, text(v))
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		return fmt.Sprintf("%q", v)
	case []byte:
		return fmt.Sprintf("x'%x'", v)
	case types.GomegaMatcher:
		return fmt.Sprintf("<%T>", v)
	}
	return fmt.Sprint(v)
}
