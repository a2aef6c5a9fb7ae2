package target

import "fmt"

// GomegaString says in short what failed: Gomega shows it after the error's text, in place of
// all fields.
func (e *Error) GomegaString() string {
	what := e.Code
	if e.Kind == ErrNoWords {
		what = e.Message
	}
	if what == "" && e.Kind != nil {
		what = e.Kind.Error()
	}
	if what == "" {
		what = e.Message
	}
	if e.Temporary {
		return fmt.Sprintf("%s, %s, temporary", what, e.Outcome)
	}
	return fmt.Sprintf("%s, %s", what, e.Outcome)
}
