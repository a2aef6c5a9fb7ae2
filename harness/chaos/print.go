package chaos

import (
	"fmt"
	"io"
	"strings"
)

// mostEvents is how many events of a timeline are printed.
const mostEvents = 120

// printFailure writes a failure: the commands that run it again, what is broken, the smallest schedule
// with its timeline, and a spec of it.
func printFailure(w io.Writer, f *Found) error {
	failed, least := f.Failed, f.Least
	var b strings.Builder
	first, _, _ := strings.Cut(failed.Failure.Error(), "\n")
	fmt.Fprintf(&b, "\nFAILED %s\n\nAgain:\n  %s\n\n", first, strings.ReplaceAll(f.Again, "\n", "\n  "))
	fmt.Fprintf(&b, "Shrunk from %d faults to %d:\n%s\n\n%s\n\n",
		len(failed.Schedule.Faults), len(least.Schedule.Faults), least.Schedule, least.Failure)
	fmt.Fprintf(&b, "What happened:\n%s\n", timeline(least.Events, mostEvents))
	b.WriteString(logText(least.Logs))
	fmt.Fprintf(&b, "As a spec, which imports Ginkgo, Gomega and\n  %s\n\n%s\n", strings.Join(f.Imports, "\n  "), f.Spec)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print a failure: %w", err)
	}
	return nil
}
