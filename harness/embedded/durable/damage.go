package durable

import "fmt"

// DamageError says that a file is corrupt: it does not hold the content that was durable in it.
type DamageError struct {
	File    string
	Problem string
}

func (e *DamageError) Error() string { return fmt.Sprintf("%s is damaged: %s", e.File, e.Problem) }

func damaged(file, problem string, args ...any) error {
	return &DamageError{File: file, Problem: fmt.Sprintf(problem, args...)}
}

// LostError says that a file is missing, or is older or shorter than a durable version of it.
// What is left is intact but incomplete. The node has acknowledged the missing data and must not
// run without it.
type LostError struct {
	File    string
	Problem string
}

func (e *LostError) Error() string {
	return fmt.Sprintf("%s has lost durable data: %s", e.File, e.Problem)
}

func lost(file, problem string, args ...any) error {
	return &LostError{File: file, Problem: fmt.Sprintf(problem, args...)}
}
