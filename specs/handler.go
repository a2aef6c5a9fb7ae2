package specs

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
)

// fail is the fail handler of Gomega: Ginkgo's Fail, except for two kinds of failures, which skip the spec and are counted apart. The
// database has no words for a statement, or it breaks a promise that its makers do not make.
func (r *run) fail(message string, callerSkip ...int) {
	skip := 1
	if len(callerSkip) > 0 {
		skip += callerSkip[0]
	}
	if sentence := r.wordless.why(message); sentence != "" {
		AddReportEntry(wordlessEntry, sentence, ReportEntryVisibilityNever)
		Skip(sentence, skip)
	}
	if claim, expected := r.judged.first(); expected {
		expect(claim)
		Skip(fmt.Sprintf("expected: %s\n%s", claim, message), skip)
	}
	Fail(message, skip)
}
