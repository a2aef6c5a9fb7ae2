package mutate

import (
	"fmt"
	"strings"
)

// Operator is a kind of mistake.
type Operator string

// The kinds of mistakes.
const (
	Negate      Operator = "negate"       // a condition is its opposite
	IgnoreError Operator = "ignore error" // err != nil is false
	ReturnNil   Operator = "return nil"   // an error is not returned
	Boundary    Operator = "boundary"     // < is <=, and so on
	Equal       Operator = "equal"        // == is !=
	Constant    Operator = "constant"     // a number is one more
	Duration    Operator = "duration"     // a named duration is ten times as long
	DropCall    Operator = "drop call"
	DropAssign  Operator = "drop assignment"
	DropDefer   Operator = "drop defer"
	DropBranch  Operator = "drop branch" // a break or continue
)

// Site is a place with a mistake in it: a mutant.
type Site struct {
	ID       int    // from 1, in the order of packages, files and places
	Package  string // its import path
	File     string // relative to the module's root, with slashes
	Line     int
	Func     string // in which it is
	Operator Operator
	Was, Now string // the code, on one line, cut short
	Alike    int    // how many sites before it in its function have the same code and operator
}

// Key names the site, as long as the code of its function stays what it is.
func (s Site) Key() string {
	key := fmt.Sprintf("%s %s: %s: %s", s.File, s.Func, s.Operator, s.Was)
	if s.Alike > 0 {
		key += fmt.Sprintf(" (after %d alike)", s.Alike)
	}
	return key
}

func (s Site) String() string {
	return fmt.Sprintf("%d %s:%d %s: %s: %s", s.ID, s.File, s.Line, s.Func, s.Operator, s.change())
}

func (s Site) change() string {
	if s.Now == "" {
		return s.Was + " is left out"
	}
	return s.Was + " is " + s.Now
}

// short is code on one line, cut short.
func short(code string) string {
	const most = 100
	code = strings.Join(strings.Fields(code), " ")
	if runes := []rune(code); len(runes) > most {
		code = string(runes[:most]) + "…"
	}
	return code
}
