package sqltext

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError reports text that cannot be split into statements, or an invalid statement about
// namespaces. Line and Column count from 1; Column counts characters.
type SyntaxError struct {
	Line, Column int
	Problem      string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Problem)
}

// syntaxError returns a SyntaxError at a byte of the text.
func syntaxError(sql string, at int, format string, args ...any) error {
	before := sql[:at]
	lineStart := strings.LastIndexByte(before, '\n') + 1
	return &SyntaxError{
		Line:    strings.Count(before, "\n") + 1,
		Column:  utf8.RuneCountInString(before[lineStart:]) + 1,
		Problem: fmt.Sprintf(format, args...),
	}
}

// UnknownNamespaceError reports a name with a namespace that does not exist. Namespace is in
// lower case.
type UnknownNamespaceError struct {
	Namespace string
}

func (e *UnknownNamespaceError) Error() string {
	return fmt.Sprintf("namespace %q does not exist", e.Namespace)
}
