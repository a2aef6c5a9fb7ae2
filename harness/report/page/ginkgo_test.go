package page_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/report/internal/made"
	"github.com/rejoin-db/rejoin/harness/report/junit"
	"github.com/rejoin-db/rejoin/harness/report/page"
)

func spec(name string, state types.SpecState, took time.Duration, message string) types.SpecReport {
	return types.SpecReport{
		LeafNodeType: types.NodeTypeIt, LeafNodeText: name, State: state, RunTime: took,
		LeafNodeLocation: types.CodeLocation{FileName: "/suite/specs/a.go", LineNumber: 3},
		Failure:          types.Failure{Message: message, Location: types.CodeLocation{FileName: "/suite/specs/a.go", LineNumber: 9}},
	}
}

func noted(s types.SpecReport, name, value string) types.SpecReport {
	s.ReportEntries = append(s.ReportEntries, types.ReportEntry{Name: name, Value: types.WrapEntryValue(value)})
	return s
}

// unexpected is a message as Gomega writes it.
func unexpected(address, text string) string {
	return "Expected success, but got an error:\n    <*x | " + address + ">:\n    " + text
}

func report(specs ...types.SpecReport) []types.Report {
	failed := false
	for _, s := range specs {
		failed = failed || s.Failed()
	}
	return []types.Report{{
		SuiteDescription: "Shop", SuitePath: "/suite", SuiteSucceeded: !failed, SuiteConfig: types.SuiteConfig{RandomSeed: 7},
		RunTime: 3 * time.Second, SpecReports: specs,
	}}
}

func TestListOfReport(t *testing.T) {
	var c page.Collection
	c.AddReports(report(
		spec("is quick", types.SpecStatePassed, 10*time.Millisecond, ""),
		spec("is as quick", types.SpecStatePassed, 20*time.Millisecond, ""),
		spec("is slow", types.SpecStatePassed, 2*time.Second, ""),
		spec("is unable", types.SpecStateSkipped, 0, "the target cannot pause a node"),
		spec("is not asked for", types.SpecStateSkipped, 0, ""),
		spec("fails alone", types.SpecStateFailed, 0, "another cause"),
		spec("fails", types.SpecStateFailed, 0, "\x1b[31m"+unexpected("0x12", "node 0 is lost after 2ms")),
		noted(noted(spec("fails, too", types.SpecStatePanicked, 0, unexpected("0x34", "node 1 is lost after 3ms")),
			junit.AgainEntry, "make replay SEED=7"), "the cluster when the spec failed", "node 1 is lost"),
	))
	r := c.Run()
	var names, groups []string
	for _, s := range r.Specs {
		names, groups = append(names, s.Name), append(groups, s.Group)
	}
	const order = "fails; fails, too; fails alone; is slow; is as quick; is quick; is not asked for; is unable"
	if got, want := strings.Join(names, "; "), order; got != want {
		t.Errorf("the list is %s, not %s", got, want)
	}
	if got, want := strings.Join(groups, " "), "failed failed failed slow passed passed skipped skipped"; got != want {
		t.Errorf("the groups are %s, not %s", got, want)
	}
	if r.Passed || r.Verdict != "3 of 6 specs failed, 2 skipped" || r.Title != "Shop" {
		t.Errorf("%s: %s", r.Title, r.Verdict)
	}
	if a, b := r.Specs[0].Failure, r.Specs[1].Failure; a.Cause != b.Cause || a.Place != "specs/a.go:9" || strings.Contains(a.Message, "\x1b") {
		t.Errorf("%+v and %+v", a, b)
	}
	if f := r.Specs[1]; f.Again != "make replay SEED=7" || len(f.Failure.Notes) != 1 || f.Failure.Notes[0].Text != "node 1 is lost" {
		t.Errorf("%+v", f)
	}
	if got, want := r.Specs[0].Again, `go tool ginkgo --seed=7 --focus='^Shop fails$' .`; got != want {
		t.Errorf("it runs again by %s, not %s", got, want)
	}
	if r.Specs[6].Why != "not selected by the filters of the run" || r.Specs[7].Why != "the target cannot pause a node" {
		t.Errorf("skipped: %q, %q", r.Specs[6].Why, r.Specs[7].Why)
	}
}

func TestReportFindsJournals(t *testing.T) {
	var c page.Collection
	first, second := "reports/journals/first.jsonl", "reports/journals/second.jsonl"
	c.AddReports(report(
		noted(spec("first", types.SpecStatePassed, 0, ""), junit.JournalEntry, first),
		noted(spec("second", types.SpecStatePassed, 0, ""), junit.JournalEntry, second)))
	if missing := c.Missing(); len(missing) != 2 || missing[0] != filepath.Join("/suite", first) {
		t.Errorf("missing: %v", missing)
	}
	add(t, &c, filepath.Join("/suite", first), made.Journal("first", 1, 60))
	add(t, &c, filepath.Join("/suite", first), made.Journal("first", 1, 60)) // is there already
	add(t, &c, "/elsewhere/second.jsonl", made.Journal("second", 2, 60))
	add(t, &c, "/elsewhere/third.jsonl", made.Journal("third", 3, 60))
	if missing := c.Missing(); len(missing) != 0 {
		t.Errorf("missing: %v", missing)
	}
	for range 2 { // the second time it says the same
		r := c.Run()
		if len(r.Specs) != 3 {
			t.Fatalf("%+v", r.Specs)
		}
		for i, s := range r.Specs {
			if len(s.Journals) != 1 || s.Journals[0].ID != i || !strings.HasPrefix(s.Journals[0].File, s.Name) {
				t.Errorf("%s has the journals %+v", s.Name, s.Journals)
			}
		}
		if r.Verdict != "All 3 specs passed" || !r.Passed {
			t.Error(r.Verdict)
		}
	}
}

func TestFailedSuite(t *testing.T) {
	var c page.Collection
	reports := report(spec("passes", types.SpecStatePassed, 0, ""))
	reports[0].SuiteSucceeded, reports[0].SpecialSuiteFailureReasons = false, []string{"Detected pending specs"}
	c.AddReports(reports)
	if r := c.Run(); r.Passed || r.Verdict != "The suite failed: Detected pending specs" {
		t.Error(r.Verdict)
	}
}

func TestPerfetto(t *testing.T) {
	var c page.Collection
	events := made.Journal("A made spec", 3, 200)
	add(t, &c, "a.jsonl", events)
	add(t, &c, "b.jsonl", events)
	var written strings.Builder
	if err := c.Perfetto(&written); err != nil {
		t.Fatal(err)
	}
	var document struct {
		TraceEvents []struct {
			Name, Ph string
			Pid, Tid int
			Args     map[string]any
		}
	}
	if err := json.Unmarshal([]byte(written.String()), &document); err != nil {
		t.Fatal(err)
	}
	type thread struct{ pid, tid int }
	named, operations := make(map[thread]string), 0
	for _, e := range document.TraceEvents {
		if e.Ph == "M" && e.Name == "thread_name" {
			named[thread{e.Pid, e.Tid}] = e.Args["name"].(string)
		}
		if strings.HasPrefix(named[thread{e.Pid, e.Tid}], "client ") && e.Ph == "X" {
			operations++
		}
	}
	want := 0
	for _, e := range events {
		if e.Op != nil {
			want += 2
		}
	}
	if operations != want || want == 0 {
		t.Errorf("the trace has %d operations of %d", operations, want)
	}
}
