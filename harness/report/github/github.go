// Package github writes Ginkgo's reports for GitHub Actions: an annotation for each failure, and a summary of the run. The forms
// are those of GitHub's documentation, "Workflow commands for GitHub Actions".
package github

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/report/internal/plain"
	"github.com/rejoin-db/rejoin/harness/report/junit"
)

// Annotate writes a line ::error for each spec that failed, with its place. Paths are relative to root, the checkout. GitHub shows at most
// ten of a step.
func Annotate(w io.Writer, reports []types.Report, root string) error {
	for _, spec := range failed(reports) {
		_, err := fmt.Fprintf(w, "::error file=%s,line=%d,title=%s::%s\n", attribute(plain.Path(root, spec.Failure.Location.FileName)),
			spec.Failure.Location.LineNumber, attribute(name(spec)), escaped(plain.Text(spec.Failure.Message)))
		if err != nil {
			return err
		}
	}
	return nil
}

// Summarize writes Markdown for the file that GITHUB_STEP_SUMMARY names: the counts of each suite, what failed and the
// command that runs it again, what passed only in a later attempt, and why specs were skipped.
func Summarize(w io.Writer, reports []types.Report) error {
	var b strings.Builder
	b.WriteString("| suite | passed | failed | skipped | time |\n| --- | --- | --- | --- | --- |\n")
	whys := make(map[string]int)
	for _, report := range reports {
		specs := report.SpecReports.WithLeafNodeType(types.NodeTypeIt)
		skipped := specs.WithState(types.SpecStateSkipped | types.SpecStatePending)
		for _, spec := range skipped {
			if why := plain.Text(spec.Failure.Message); why != "" {
				whys[why]++
			}
		}
		verdict := ""
		if !report.SuiteSucceeded {
			verdict = " **failed**"
		}
		fmt.Fprintf(&b, "| %s%s | %d | %d | %d | %s |\n", cell(report.SuiteDescription), verdict, specs.CountWithState(types.SpecStatePassed),
			specs.CountWithState(types.SpecStateFailureStates), len(skipped), report.RunTime.Round(100*time.Millisecond))
	}
	if all := failed(reports); len(all) > 0 {
		b.WriteString("\n### Failed\n\n")
		for _, spec := range all {
			fmt.Fprintf(&b, "- %s: %s\n", cell(name(spec)), cell(plain.Line(spec.Failure.Message)))
			for _, entry := range spec.ReportEntries {
				if entry.Name == junit.AgainEntry {
					fmt.Fprintf(&b, "\n  ~~~\n  %s\n  ~~~\n", strings.ReplaceAll(plain.Text(entry.StringRepresentation()), "\n", "\n  "))
				}
			}
		}
	}
	if all := flaked(reports); len(all) > 0 {
		b.WriteString("\n### Failed at first\n\n")
		for _, spec := range all {
			fmt.Fprintf(&b, "- %s: passed in attempt %d\n", cell(name(spec)), spec.NumAttempts)
		}
	}
	if len(whys) > 0 {
		b.WriteString("\n### Skipped\n\n| specs | because |\n| --- | --- |\n")
		for _, why := range slices.SortedFunc(maps.Keys(whys), func(a, c string) int {
			if whys[a] != whys[c] {
				return whys[c] - whys[a]
			}
			return strings.Compare(a, c)
		}) {
			fmt.Fprintf(&b, "| %d | %s |\n", whys[why], cell(why))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// flaked are the specs that failed, and passed when they were tried again.
func flaked(reports []types.Report) (all types.SpecReports) {
	for _, report := range reports {
		for _, spec := range report.SpecReports.WithState(types.SpecStatePassed) {
			if spec.MaxFlakeAttempts > 0 && spec.NumAttempts > 1 {
				all = append(all, spec)
			}
		}
	}
	return all
}

func failed(reports []types.Report) (all types.SpecReports) {
	for _, report := range reports {
		all = append(all, report.SpecReports.WithState(types.SpecStateFailureStates)...)
	}
	return all
}

// name is that of a spec, or of a node of the suite such as BeforeSuite.
func name(spec types.SpecReport) string {
	if text := spec.FullText(); text != "" {
		return text
	}
	return spec.LeafNodeType.String()
}

var (
	escaped   = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace
	attribute = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace
	cell      = strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace
)
