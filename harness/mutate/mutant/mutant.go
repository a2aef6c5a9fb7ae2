// Package mutant is the switch of a build that holds every mutant at once. The code that
// package mutate writes calls it in place of what it changed. One mutant is on in a process,
// or none: MUTANT says which. With MUTANT_TRACE the process writes which
// mutants it reached: a line with the number of each, below a line "spec NAME" with the spec
// in which that was. All functions are safe for concurrent use, and block on nothing but
// that file.
package mutant

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
)

// The variables that a build with mutants reads when it starts.
const (
	Variable = "MUTANT"
	Trace    = "MUTANT_TRACE"
)

// Most is how many mutants one build can hold.
const Most = 1 << 16

var (
	active  = number(os.Getenv(Variable))
	trace   = open(os.Getenv(Trace))
	spec    atomic.Int32           // the number of the spec that runs, from 1
	reached [Most + 1]atomic.Int32 // in which spec a mutant was reached last, plus 1
)

func number(text string) int {
	if text == "" {
		return 0
	}
	id, err := strconv.Atoi(text)
	if err != nil || id < 1 || id > Most {
		panic(fmt.Sprintf("%s=%s is not the number of a mutant", Variable, text))
	}
	return id
}

func open(path string) *os.File {
	if path == "" {
		return nil
	}
	// Tests may start their own program again, which adds what it reaches.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		panic(err)
	}
	return file
}

// Spec says which spec runs from now on.
func Spec(name string) {
	if trace != nil {
		spec.Add(1)
		note("spec " + name)
	}
}

// On tells whether the mutant is on.
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

// Not is the opposite of a condition if the mutant is on.
func Not[T ~bool](id int, condition T) T { return condition != T(On(id)) }

// Either is other if the mutant is on, and value if not.
func Either[T any](id int, value, other T) T {
	if On(id) {
		return other
	}
	return value
}

// Nil is no error if the mutant is on.
func Nil(id int, err error) error {
	if On(id) {
		return nil
	}
	return err
}

// Number is any type of number.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr | ~float32 | ~float64
}

// Plus is one more if the mutant is on.
func Plus[T Number](id int, value T) T {
	if On(id) {
		return value + 1
	}
	return value
}

// Times is ten times as much if the mutant is on.
func Times[T Number](id int, value T) T {
	if On(id) {
		return value * 10
	}
	return value
}
