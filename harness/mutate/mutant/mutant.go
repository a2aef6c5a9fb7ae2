// Package mutant is the switch in a build that holds all mutants. The code that package mutate generates calls it. In
// a process at most one mutant is on: the one with the number in MUTANT. With MUTANT_TRACE the process writes the
// mutants that it reached to that file: a line "spec NAME" for each spec, followed by a line for the number of each
// mutant. All functions are safe for concurrent use and block only on writes to that file. They panic if the file
// cannot be written or MUTANT is invalid.
package mutant

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
)

// Environment variables that a build with mutants reads when it starts.
const (
	Variable = "MUTANT"
	Trace    = "MUTANT_TRACE"
)

// Most is the maximum number of mutants in one build.
const Most = 1 << 16

var (
	active  = number(os.Getenv(Variable))
	trace   = open(os.Getenv(Trace))
	spec    atomic.Int32           // number of the current spec, from 1
	reached [Most + 1]atomic.Int32 // last spec in which a mutant was reached, plus 1
)

func number(text string) int {
	if text == "" {
		return 0
	}
	id, err := strconv.Atoi(text)
	if err != nil || id < 1 || id > Most {
		panic(fmt.Sprintf("%s=%s: must be a number from 1 to %d", Variable, text, Most))
	}
	return id
}

func open(path string) *os.File {
	if path == "" {
		return nil
	}
	// Tests may run their own binary as a child process, which appends.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		panic(err)
	}
	return file
}

// Spec sets the name of the current spec, for the trace.
func Spec(name string) {
	if trace != nil {
		spec.Add(1)
		note("spec " + name)
	}
}

// On reports whether the mutant is on, and records that it was reached.
func On(id int) bool {
	if trace != nil {
		if now := spec.Load() + 1; reached[id].Swap(now) != now {
			note(strconv.Itoa(id))
		}
	}
	return id == active
}

func note(line string) {
	if _, err := trace.WriteString(line + "\n"); err != nil {
		panic(err)
	}
}

// Not returns condition, negated if the mutant is on.
func Not[T ~bool](id int, condition T) T { return condition != T(On(id)) }

// Either returns other if the mutant is on, and value otherwise.
func Either[T any](id int, value, other T) T {
	if On(id) {
		return other
	}
	return value
}

// Nil returns nil if the mutant is on, and err otherwise.
func Nil(id int, err error) error {
	if On(id) {
		return nil
	}
	return err
}

// Number is the constraint of all real number types.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr | ~float32 | ~float64
}

// Plus returns value, plus 1 if the mutant is on.
func Plus[T Number](id int, value T) T {
	if On(id) {
		return value + 1
	}
	return value
}

// Times returns value, times 10 if the mutant is on.
func Times[T Number](id int, value T) T {
	if On(id) {
		return value * 10
	}
	return value
}
