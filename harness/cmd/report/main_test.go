package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/report/junit"
)

func TestReport(t *testing.T) {
	folder := t.TempDir()
	page, trace := filepath.Join(folder, "made", "index.html"), filepath.Join(folder, "trace.json")
	var out strings.Builder
	if err := run([]string{"-o", page, "-perfetto", trace, "../../../fixtures/journals/version-2.jsonl"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "index.html: The spec passed\n") {
		t.Errorf("it said %q", out.String())
	}
	for file, want := range map[string]string{page: `id="journal-0"`, trace: "traceEvents"} {
		if content, err := os.ReadFile(file); err != nil || !strings.Contains(string(content), want) {
			t.Errorf("%s lacks %s: %v", file, want, err)
		}
	}
}

func TestReportOfNothing(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.jsonl")
	if err := os.WriteFile(broken, []byte("{\"kind\":\"none\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][]string{{}, {"missing.jsonl"}, {broken}} {
		if err := run(append([]string{"-o", filepath.Join(t.TempDir(), "page.html")}, files...), io.Discard, io.Discard); err == nil {
			t.Errorf("a page was made of %v", files)
		}
	}
}

func TestReportNamesMissingJournals(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report.json")
	content, err := json.Marshal([]types.Report{{SuitePath: "/suite", SuiteSucceeded: true, SpecReports: types.SpecReports{{
		LeafNodeType: types.NodeTypeIt, State: types.SpecStatePassed,
		ReportEntries: types.ReportEntries{{Name: junit.JournalEntry, Value: types.WrapEntryValue("gone.jsonl")}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(report, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var problems strings.Builder
	if err := run([]string{"-o", filepath.Join(t.TempDir(), "page.html"), report}, io.Discard, &problems); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(problems.String(), "/suite/gone.jsonl") {
		t.Errorf("it said %q", problems.String())
	}
}
