package specs

import (
	"errors"
	"fmt"
	"slices"

	"github.com/onsi/gomega/format"
)

// wrappers are the types of errors in the standard library that have no fields of interest.
var wrappers = []string{"*errors.errorString", "*errors.joinError", "*fmt.wrapError", "*fmt.wrapErrors"}

// brief is a Gomega formatter. Gomega shows the text of an error and then its fields. Of an
// error that only wraps others it shows the reason of the first that has one instead.
func brief(value any) (string, bool) {
	err, is := value.(error)
	if !is || !slices.Contains(wrappers, fmt.Sprintf("%T", value)) {
		return "", false
	}
	var short interface {
		error
		format.GomegaStringer
	}
	if errors.As(err, &short) {
		return short.GomegaString(), true
	}
	return "", true
}
