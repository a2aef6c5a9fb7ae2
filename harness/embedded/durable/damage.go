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
