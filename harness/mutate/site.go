package mutate

import (
	"fmt"
	"strings"
)

// Operator is a kind of mistake.
type Operator string

// The kinds of mistakes.
const (
	Negate      Operator = "negate"          // a condition becomes its opposite
	IgnoreError Operator = "ignore error"    // err != nil becomes false
	ReturnNil   Operator = "return nil"      // an error is not returned
	Boundary    Operator = "boundary"        // < becomes <=, and so on
	Equal       Operator = "equal"           // == becomes !=
	Constant    Operator = "constant"        // a number is incremented
	Duration    Operator = "duration"        // a named duration is multiplied by 10
	DropCall    Operator = "drop call"       // a call is removed
	DropAssign  Operator = "drop assignment" // an assignment is removed
	DropDefer   Operator = "drop defer"      // a defer is removed
	DropBranch  Operator = "drop branch"     // a break or continue is removed
)

// Site is a place with a mistake: a mutant.
type Site struct {
	ID       int    // from 1, in the order of packages, files and positions
	Package  string // import path
	File     string // relative to the module's root, with slashes
	Line     int
	Func     string // enclosing function
	Operator Operator
	Was, Now string // code before and after, on one line, shortened; Now is empty if it is removed
	Alike    int    // number of earlier sites in the function with the same code and operator
}

// Key identifies the site. It stays the same while the code of the function does.
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
		return s.Was + " is removed"
	}
	return s.Was + " becomes " + s.Now
}

// short returns code on one line, shortened to 100 characters.
func short(code string) string {
	const most = 100
	code = strings.Join(strings.Fields(code), " ")
	if runes := []rune(code); len(runes) > most {
		code = string(runes[:most]) + "…"
	}
	return code
}
