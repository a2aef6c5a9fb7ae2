package durable

import "fmt"

// DamageError says that a file does not hold what was once safe in it.
type DamageError struct {
	File    string
	Problem string
}

func (e *DamageError) Error() string { return fmt.Sprintf("%s is damaged: %s", e.File, e.Problem) }

func damaged(file, problem string, args ...any) error {
	return &DamageError{File: file, Problem: fmt.Sprintf(problem, args...)}
}

// LostError says that a file is gone, or that it is an older or a shorter one than
// was once safe: what is there is sound, and not all. The node has said that it has
// it, and would be wrong without.
type LostError struct {
	File    string
	Problem string
}

func (e *LostError) Error() string {
	return fmt.Sprintf("%s has lost what was safe: %s", e.File, e.Problem)
}

func lost(file, problem string, args ...any) error {
	return &LostError{File: file, Problem: fmt.Sprintf(problem, args...)}
}
