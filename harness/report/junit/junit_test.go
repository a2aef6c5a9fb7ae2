package junit_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/report/junit"
)

// allowed are the attributes and children of each element in the strict schema of Jenkins' xUnit plugin, and those attributes that
// it demands.
var allowed = map[string]struct{ attributes, required, children []string }{
	"testsuites": {words("name time tests failures errors"), nil, words("testsuite")},
	"testsuite": {
		words("name tests failures errors group time skipped timestamp hostname id package file log url"),
		words("name tests failures errors"), words("testsuite properties testcase system-out system-err"),
	},
	"properties": {nil, nil, words("property")},
	"property":   {words("name value"), words("name value"), nil},
	"testcase":   {words("name time classname group"), words("name"), words("skipped error failure system-out system-err")},
	"skipped":    {words("type message"), nil, nil},
	"error":      {words("type message"), nil, nil},
	"failure":    {words("type message"), nil, nil},
	"system-out": {},
	"system-err": {},
}

func words(text string) []string { return strings.Fields(text) }

var surefireTime = regexp.MustCompile(`^(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?$`)

// valid returns why a document does not follow the schema.
func valid(document string) error {
	decoder := xml.NewDecoder(strings.NewReader(document))
	var path []string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			rule, known := allowed[token.Name.Local]
			if !known || len(path) > 0 && !slices.Contains(allowed[path[len(path)-1]].children, token.Name.Local) {
				return fmt.Errorf("element %s in %v", token.Name.Local, path)
			}
			var has []string
			for _, a := range token.Attr {
				has = append(has, a.Name.Local)
				if !slices.Contains(rule.attributes, a.Name.Local) {
					return fmt.Errorf("attribute %s of %s", a.Name.Local, token.Name.Local)
				}
				if a.Name.Local == "time" && !surefireTime.MatchString(a.Value) {
					return fmt.Errorf("time %q", a.Value)
				}
			}
			for _, name := range rule.required {
				if !slices.Contains(has, name) {
					return fmt.Errorf("%s without %s", token.Name.Local, name)
				}
			}
			path = append(path, token.Name.Local)
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
}

func spec(state types.SpecState, text string, change func(*types.SpecReport)) types.SpecReport {
	s := types.SpecReport{
		LeafNodeType: types.NodeTypeIt, ContainerHierarchyTexts: []string{"A link"}, LeafNodeText: text, State: state,
		ContainerHierarchyLabels: [][]string{{"suite:links"}}, LeafNodeLabels: []string{"fault:cut"},
		LeafNodeLocation: types.CodeLocation{FileName: "/src/specs/links.go", LineNumber: 12}, RunTime: 1500 * time.Millisecond,
		CapturedGinkgoWriterOutput: "\x1b[32mthe log\x1b[0m \x00",
	}
	if change != nil {
		change(&s)
	}
	return s
}

func failing(s *types.SpecReport) {
	s.Failure = types.Failure{Message: "Expected <a> & b\nmore", Location: types.CodeLocation{FileName: "/src/specs/links.go", LineNumber: 20}}
	s.AdditionalFailures = []types.AdditionalFailure{{Failure: types.Failure{
		Message: "and then", Location: types.CodeLocation{FileName: "/elsewhere/x.go", LineNumber: 3},
	}}}
	s.ReportEntries = types.ReportEntries{{Name: junit.JournalEntry, Value: types.WrapEntryValue("reports/journals/a.jsonl")}}
}

func report(specs ...types.SpecReport) types.Report {
	return types.Report{
		SuitePath: "/src", SuiteDescription: "Rejoin", SuiteSucceeded: true, RunTime: 2 * time.Second,
		StartTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), SuiteConfig: types.SuiteConfig{RandomSeed: 17}, SpecReports: specs,
	}
}

func written(t *testing.T, reports ...types.Report) string {
	t.Helper()
	var b strings.Builder
	about := map[string]string{"target": "local", "nodes": "3"}
	err := junit.Write(&b, reports, junit.Options{Root: "/src", Properties: about, Attachments: junit.Files()})
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(b.String()); err != nil {
		t.Fatalf("not valid: %v\n%s", err, b.String())
	}
	return b.String()
}

func TestDocument(t *testing.T) {
	got := written(t, report(
		spec(types.SpecStatePassed, "heals", func(s *types.SpecReport) { s.NumAttempts = 2 }),
		spec(types.SpecStateFailed, "drops", failing),
		spec(types.SpecStatePanicked, "resets", failing),
		spec(types.SpecStateSkipped, "skews", func(s *types.SpecReport) { s.Failure.Message = "the target cannot skew clocks" }),
		spec(types.SpecStateSkipped, "filtered", nil),
		spec(types.SpecStatePending, "later", nil),
		types.SpecReport{LeafNodeType: types.NodeTypeBeforeSuite, State: types.SpecStatePassed},
	))
	for _, want := range []string{
		`<testsuites tests="6" failures="1" errors="1" time="2.000">`,
		`<testsuite name="Rejoin" package="." tests="6" failures="1" errors="1" skipped="3" time="2.000" timestamp="2026-01-02T03:04:05">`,
		`<property name="seed" value="17"></property>`, `<property name="nodes" value="3"></property>`,
		`<testcase name="A link heals" classname="specs.links" time="1.500">`,
		"[[PROPERTY|file=specs/links.go]]", "[[PROPERTY|line=12]]", "[[PROPERTY|attempts=2]]",
		"[[PROPERTY|label=fault:cut]]", "[[PROPERTY|label=suite:links]]",
		"[[ATTACHMENT|reports/journals/a.jsonl]]",
		`<failure type="failed" message="Expected &lt;a&gt; &amp; b more">specs/links.go:20`,
		"/elsewhere/x.go:3&#xA;and then", `<error type="panicked"`,
		"<system-err>the log \uFFFD</system-err>",
		`<skipped type="skipped" message="the target cannot skew clocks">`,
		`<skipped type="skipped" message="not selected by`, `<skipped type="pending"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "the log"); n != 2 {
		t.Errorf("the log is there %d times; only specs that fail have it", n)
	}
}

func TestNewLabelKeepsTheName(t *testing.T) {
	named := regexp.MustCompile(`<testcase name="[^"]*" classname="[^"]*"`)
	before := written(t, report(spec(types.SpecStatePassed, "heals", nil)))
	after := written(t, report(spec(types.SpecStatePassed, "heals", func(s *types.SpecReport) { s.LeafNodeLabels = []string{"new"} })))
	if named.FindString(before) != named.FindString(after) {
		t.Errorf("%s became %s", named.FindString(before), named.FindString(after))
	}
}

func TestSuiteThatFailsByItself(t *testing.T) {
	for _, reasons := range [][]string{{"Interrupted by User"}, nil} {
		r := report(spec(types.SpecStatePassed, "heals", nil))
		r.SuiteSucceeded, r.SpecialSuiteFailureReasons = false, reasons
		if got := written(t, r); !strings.Contains(got, `errors="1"`) || len(reasons) > 0 && !strings.Contains(got, reasons[0]) {
			t.Errorf("it would be shown as passed:\n%s", got)
		}
	}
}

func TestRead(t *testing.T) {
	content, err := json.Marshal([]types.Report{report(spec(types.SpecStateFailed, "drops", failing))})
	if err != nil {
		t.Fatal(err)
	}
	reports, err := junit.Read(strings.NewReader(string(content)))
	if err != nil {
		t.Fatal(err)
	}
	if got := written(t, reports...); !strings.Contains(got, "[[ATTACHMENT|reports/journals/a.jsonl]]") {
		t.Error(got)
	}
	if _, err := junit.Read(strings.NewReader("no JSON")); err == nil {
		t.Error("what is no report was read")
	}
}
