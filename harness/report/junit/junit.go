package junit

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/report/internal/plain"
)

// Options are what the reports do not say. The zero Options are valid.
type Options struct {
	// Root is the folder below which paths are relative: the checkout. Empty leaves them as they are.
	Root string
	// Properties are those of each suite beside its seed, such as target and nodes.
	Properties map[string]string
	// Attachments are the names of report entries whose value is the path of a file, relative to the folder of the suite.
	Attachments []string
}

// Files returns the names of the report entries of this project that name a file, for Options.Attachments.
func Files() []string { return []string{JournalEntry} }

// JournalEntry is the name of the entry that says where the journal of a spec is.
const JournalEntry = "the journal of the spec, as JSON lines"

// AgainEntry is the name of the entry with the command that runs a spec again.
const AgainEntry = "to run it again"

// Read reads the reports that Ginkgo writes with --json-report.
func Read(r io.Reader) ([]types.Report, error) {
	var reports []types.Report
	if err := json.NewDecoder(r).Decode(&reports); err != nil {
		return nil, fmt.Errorf("read Ginkgo's JSON report: %w", err)
	}
	return reports, nil
}

// Write writes the reports as one document.
func Write(w io.Writer, reports []types.Report, o Options) error {
	var all document
	var took time.Duration
	for _, report := range reports {
		s := o.suite(report)
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
		took += report.RunTime
		all.Suites = append(all.Suites, s)
	}
	all.Time = seconds(took)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (o Options) suite(report types.Report) suite {
	s := suite{
		Name: report.SuiteDescription, Package: plain.Path(o.Root, report.SuitePath), Time: seconds(report.RunTime),
		Timestamp:  report.StartTime.UTC().Format("2006-01-02T15:04:05"),
		Properties: []property{{"seed", strconv.FormatInt(report.SuiteConfig.RandomSeed, 10)}},
	}
	for _, name := range slices.Sorted(maps.Keys(o.Properties)) {
		s.Properties = append(s.Properties, property{name, o.Properties[name]})
	}
	if filter := report.SuiteConfig.LabelFilter; filter != "" {
		s.Properties = append(s.Properties, property{"label-filter", filter})
	}
	for _, spec := range report.SpecReports {
		if spec.LeafNodeType == types.NodeTypeIt || spec.State.Is(types.SpecStateFailureStates) {
			s.Cases = append(s.Cases, o.testcase(report, spec))
		}
	}
	failed := slices.ContainsFunc(s.Cases, func(c testcase) bool { return c.Error != nil || c.Failures != nil })
	if why := strings.Join(report.SpecialSuiteFailureReasons, "; "); !report.SuiteSucceeded && !failed { // else it would be shown as passed
		if why == "" {
			why = "the suite failed, and none of its specs"
		}
		s.Cases = append(s.Cases, testcase{Name: "the suite", Class: class(s.Package), Time: "0", Error: &outcome{Type: "suite", Message: why}})
	}
	for _, c := range s.Cases {
		s.Tests++
		s.Skipped += count(c.Skipped)
		s.Errors += count(c.Error)
		s.Failures += count(c.Failures)
	}
	return s
}

func count(o *outcome) int {
	if o == nil {
		return 0
	}
	return 1
}

func (o Options) testcase(report types.Report, spec types.SpecReport) testcase {
	file := plain.Path(o.Root, spec.LeafNodeLocation.FileName)
	c := testcase{Name: spec.FullText(), Class: class(file), Time: seconds(spec.RunTime)}
	if c.Name == "" { // a node of the suite, such as BeforeSuite
		c.Name = spec.LeafNodeType.String()
	}
	lines := []string{
		mark("PROPERTY", "file="+file), mark("PROPERTY", "line="+strconv.Itoa(spec.LeafNodeLocation.LineNumber)),
	}
	if spec.NumAttempts > 1 {
		lines = append(lines, mark("PROPERTY", "attempts="+strconv.Itoa(spec.NumAttempts)))
	}
	for _, label := range spec.Labels() {
		lines = append(lines, mark("PROPERTY", "label="+label))
	}
	for _, entry := range spec.ReportEntries {
		if slices.Contains(o.Attachments, entry.Name) {
			path := plain.Text(entry.StringRepresentation())
			if !filepath.IsAbs(path) {
				path = filepath.Join(report.SuitePath, path)
			}
			lines = append(lines, mark("ATTACHMENT", plain.Path(o.Root, path)))
		}
	}
	c.SystemOut = strings.Join(lines, "\n") + "\n"
	switch {
	case spec.State.Is(types.SpecStatePending):
		c.Skipped = &outcome{Type: "pending", Message: "pending"}
	case spec.State.Is(types.SpecStateSkipped):
		why := plain.Text(spec.Failure.Message)
		if why == "" {
			why = "not selected by the filters of the run"
		}
		c.Skipped = &outcome{Type: "skipped", Message: why}
	case spec.State.Is(types.SpecStateFailed):
		c.Failures = o.failed(spec)
	case spec.State.Is(types.SpecStateFailureStates):
		c.Error = o.failed(spec)
	}
	if c.Failures != nil || c.Error != nil {
		c.SystemOut += plain.Text(spec.CapturedStdOutErr)
		c.SystemErr = plain.Text(spec.CapturedGinkgoWriterOutput)
	}
	return c
}

// failed is the failure of a spec and those that followed it, each with its place.
func (o Options) failed(spec types.SpecReport) *outcome {
	var text strings.Builder
	add := func(f types.Failure) {
		fmt.Fprintf(&text, "%s:%d\n%s\n", plain.Path(o.Root, f.Location.FileName), f.Location.LineNumber, plain.Text(f.Message))
		if f.ForwardedPanic != "" {
			fmt.Fprintf(&text, "panic: %s\n%s\n", plain.Text(f.ForwardedPanic), plain.Text(f.Location.FullStackTrace))
		}
	}
	add(spec.Failure)
	for _, more := range spec.AdditionalFailures {
		add(more.Failure)
	}
	return &outcome{Type: spec.State.String(), Message: plain.Line(spec.Failure.Message), Text: text.String()}
}

func mark(kind, what string) string {
	return "[[" + kind + "|" + strings.NewReplacer("\n", " ", "]]", "] ]").Replace(what) + "]]"
}

// class is the name of a file as Jenkins groups tests: by dots.
func class(file string) string {
	return strings.Trim(strings.ReplaceAll(strings.TrimSuffix(filepath.ToSlash(file), ".go"), "/", "."), ".")
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
