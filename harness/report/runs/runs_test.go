package runs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rejoin-db/rejoin/harness/report/page"
	"github.com/rejoin-db/rejoin/harness/report/runs"
)

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// run is a run of chaos that began some minutes after the first.
func run(minutes int, failed bool) *page.Collection {
	return &page.Collection{Kind: "chaos", Title: "Chaos", Verdict: fmt.Sprintf("run %d", minutes), Failed: failed,
		Began: began.Add(time.Duration(minutes) * time.Minute), Facts: []page.Fact{{Name: "seed", Value: "7"}}}
}

func keep(t *testing.T, file string, c *page.Collection) {
	t.Helper()
	if err := runs.Keep(file, c); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestKeepsTheLastRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "reports", "index.html")
	for i := range runs.Most + 3 {
		keep(t, file, run(i, i == runs.Most))
	}
	kept, err := runs.Read(runs.Folder(file))
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != runs.Most {
		t.Fatalf("%d runs are kept", len(kept))
	}
	for i, r := range kept {
		if want := fmt.Sprintf("run %d", runs.Most+2-i); r.Verdict != want || r.Good == (want == fmt.Sprintf("run %d", runs.Most)) ||
			r.Bytes == 0 {
			t.Errorf("run %d is %+v", i, r)
		}
	}
	if want := "20260102T032605Z-7"; kept[0].Folder != want {
		t.Errorf("its folder is %s, not %s", kept[0].Folder, want)
	}
	list := content(t, filepath.Join(runs.Folder(file), "index.html"))
	if n := strings.Count(list, "<tr><td>"); n != runs.Most || !strings.Contains(list, `href="`+kept[0].Folder+`/index.html"`) {
		t.Errorf("the list has %d runs", n)
	}
	if got := content(t, filepath.Join(filepath.Dir(file), ".gitignore")); got != "*\n" {
		t.Errorf("git ignores %q", got)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestTwoRunsOfOneSecond(t *testing.T) {
	file := filepath.Join(t.TempDir(), "index.html")
	keep(t, file, run(0, false))
	keep(t, file, run(0, false))
	if kept, err := runs.Read(runs.Folder(file)); err != nil || len(kept) != 2 {
		t.Error(kept, err)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(file), ".gitignore")); err == nil {
		t.Error("a folder that was there before is ignored by git")
	}
}

// A run that was killed leaves what it kept. A later one removes it when it is old, and only then.
func TestRemovesWhatWasLeft(t *testing.T) {
	file := filepath.Join(t.TempDir(), "index.html")
	old, err := runs.Pending(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(old, began, began); err != nil {
		t.Fatal(err)
	}
	recent, err := runs.Pending(file)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, file, run(0, false))
	if _, err := os.Stat(old); err == nil {
		t.Error("the old folder is left")
	}
	if _, err := os.Stat(recent); err != nil {
		t.Error(err)
	}
}
