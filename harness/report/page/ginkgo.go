package page

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/report/internal/plain"
	"github.com/rejoin-db/rejoin/harness/report/junit"
)

// groups are those of the list, in its order.
var groups = [...]string{"failed", "slow", "passed", "skipped", "unknown"}

func groupOf(state string) string {
	switch state {
	case types.SpecStatePassed.String():
		return "passed"
	case types.SpecStateSkipped.String(), types.SpecStatePending.String():
		return "skipped"
	case "":
		return "unknown"
	}
	return "failed"
}

// JournalEntry is the name of a hidden report entry with the path of a journal that is kept only until the page is written.
const JournalEntry = "a journal for the page"

// ofReport is a spec of Ginkgo's report.
func (c *Collection) ofReport(report types.Report, spec types.SpecReport) Spec {
	s := Spec{
		Name: spec.FullText(), State: spec.State.String(), Group: groupOf(spec.State.String()), Seconds: spec.RunTime.Seconds(),
		Labels: spec.Labels(), Place: line(report, spec.LeafNodeLocation),
	}
	if s.Name == "" { // a node of the suite, such as BeforeSuite
		s.Name = spec.LeafNodeType.String()
	}
	settings := c.settings()
	for _, path := range append(journalsOf(report, spec), named(spec, JournalEntry)...) {
		if found := c.findNamed(path); found != nil {
			found.taken = true
			s.Journals = append(s.Journals, found.about)
			settings = found.settings
		}
	}
	if s.Group == "skipped" {
		s.Why = cmp.Or(trimmed(spec.Failure.Message), "not selected by the filters of the run")
		if spec.State == types.SpecStatePending {
			s.Why = "pending"
		}
		return s
	}
	s.Again = entry(spec, junit.AgainEntry)
	if s.Again == "" && spec.LeafNodeType == types.NodeTypeIt && c.Again != nil {
		s.Again = c.Again(s.Name)
	}
	if s.Again == "" && spec.LeafNodeType == types.NodeTypeIt {
		s.Again = again(report.SuiteConfig.RandomSeed, report.SuiteDescription+" "+s.Name, settings)
	}
	if s.Group == "failed" {
		s.Failure = failureOf(report, spec)
	}
	return s
}

func failureOf(report types.Report, spec types.SpecReport) *Failure {
	f := &Failure{Message: trimmed(spec.Failure.Message), Place: line(report, spec.FailureLocation()), Cause: cause(spec.Failure.Message)}
	f.Source = source(spec.FailureLocation())
	if spec.Failure.ForwardedPanic != "" {
		f.Message += "\n" + trimmed(spec.Failure.ForwardedPanic)
		f.Notes = append(f.Notes, Note{"stack", trimmed(spec.Failure.Location.FullStackTrace)})
	}
	for _, more := range spec.AdditionalFailures {
		f.Notes = append(f.Notes, Note{"another failure: " + more.State.String(), trimmed(more.Failure.Message)})
	}
	for _, e := range spec.ReportEntries {
		if e.Name != junit.JournalEntry && e.Name != junit.AgainEntry && e.Visibility != types.ReportEntryVisibilityNever {
			f.Notes = append(f.Notes, Note{e.Name, trimmed(e.StringRepresentation())})
		}
	}
	if output := trimmed(spec.CombinedOutput()); output != "" {
		f.Notes = append(f.Notes, Note{"output", shortened(output)})
	}
	return f
}

// shortened keeps the end of an output.
func shortened(text string) string {
	const most = 64 << 10 // bytes
	if len(text) <= most {
		return text
	}
	return "…" + strings.ToValidUTF8(text[len(text)-most:], "")
}

func entry(spec types.SpecReport, name string) string {
	for _, e := range spec.ReportEntries {
		if e.Name == name {
			return strings.TrimSpace(trimmed(e.StringRepresentation()))
		}
	}
	return ""
}

// journalsOf are the paths of the journals of a spec that were saved.
func journalsOf(report types.Report, spec types.SpecReport) []string {
	paths := named(spec, junit.JournalEntry)
	for i, path := range paths {
		if !filepath.IsAbs(path) {
			paths[i] = filepath.Join(report.SuitePath, path)
		}
	}
	return paths
}

// named are the report entries with that name.
func named(spec types.SpecReport, name string) []string {
	var all []string
	for _, e := range spec.ReportEntries {
		if e.Name == name {
			all = append(all, trimmed(e.StringRepresentation()))
		}
	}
	return all
}

// line names a line of source, relative to the folder of the suite if it is below it.
func line(report types.Report, at types.CodeLocation) string {
	if at.FileName == "" {
		return ""
	}
	name := at.FileName
	if rel, err := filepath.Rel(report.SuitePath, name); err == nil && filepath.IsLocal(rel) {
		name = filepath.ToSlash(rel)
	}
	return fmt.Sprintf("%s:%d", name, at.LineNumber)
}

// arrange groups the specs, and sorts them: failed first, those of one cause together; then slow, passed and skipped ones.
func arrange(specs []Spec) {
	var took []float64
	for _, s := range specs {
		if s.Group == "passed" {
			took = append(took, s.Seconds)
		}
	}
	slices.Sort(took)
	if len(took) > 0 {
		slow := max(1, 5*took[len(took)/2]) // seconds: five times the median
		for i := range specs {
			if specs[i].Group == "passed" && specs[i].Seconds > slow {
				specs[i].Group = "slow"
			}
		}
	}
	causes := make(map[string]int)
	for _, s := range specs {
		if s.Failure != nil {
			causes[s.Failure.Cause]++
		}
	}
	slices.SortStableFunc(specs, func(a, b Spec) int {
		order := cmp.Compare(slices.Index(groups[:], a.Group), slices.Index(groups[:], b.Group))
		switch {
		case order != 0:
			return order
		case a.Failure != nil && b.Failure != nil:
			return cmp.Or(cmp.Compare(causes[b.Failure.Cause], causes[a.Failure.Cause]), cmp.Compare(a.Failure.Cause, b.Failure.Cause),
				cmp.Compare(a.Name, b.Name))
		case a.Group == "slow":
			return cmp.Compare(b.Seconds, a.Seconds)
		}
		return cmp.Compare(a.Name, b.Name)
	})
}

var values = regexp.MustCompile(`"[^"]*"|'[^']*'|0x[0-9a-f]+|[0-9]+(\.[0-9]+)?(ns|µs|ms|s|m|h)?`)

// trimmed is a text without the colours of a terminal, and without white space around it.
func trimmed(text string) string { return strings.TrimSpace(plain.Text(text)) }

// cause is the first line of a message that says something, without its values: two failures that differ only in values have one
// cause.
func cause(message string) string {
	lines := strings.Split(trimmed(message), "\n")
	first := lines[0]
	if strings.HasSuffix(first, ":") { // such as Gomega's "Expected success, but got an error:"
		for _, l := range lines[1:] {
			if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "<") {
				first += " " + l
				break
			}
		}
	}
	const most = 200 // bytes
	first = values.ReplaceAllString(first, "…")
	return strings.ToValidUTF8(first[:min(len(first), most)], "")
}
