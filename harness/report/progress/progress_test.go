package progress_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rejoin-db/rejoin/harness/report/progress"
)

func environment(path string) func(string) (string, bool) {
	return func(name string) (string, bool) { return path, name == progress.Variable && path != "" }
}

func open(t *testing.T) (*progress.Teller, string) {
	path := filepath.Join(t.TempDir(), "progress")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := progress.Open(environment(path))
	if err != nil {
		t.Fatal(err)
	}
	return said, path
}

func read(t *testing.T, path string) (all []progress.Event) {
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(content) {
		e, err := progress.Decode(line)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestWhatIsSaidIsRead(t *testing.T) {
	said, path := open(t)
	work := progress.Work{Name: "Rejoin", Unit: "specs", All: 3, For: time.Minute}
	said.Title("dqlite")
	said.Begin(work)
	said.Say("12 operations")
	said.Start(2, "a\nspec")
	said.End(2, "a\nspec", progress.Failed, time.Second)
	if err := said.Close(); err != nil {
		t.Fatal(err)
	}
	want := []progress.Event{
		{Kind: progress.Titled, Text: "dqlite"},
		{Kind: progress.Begun, Work: &work},
		{Kind: progress.Said, Text: "12 operations"},
		{Kind: progress.Starts, Worker: 2, Text: "a\nspec"},
		{Kind: progress.Ends, Worker: 2, Text: "a\nspec", Outcome: progress.Failed, Took: time.Second},
	}
	got := read(t, path)
	if text := fmt.Sprint(got[1].Work); text != fmt.Sprint(&work) {
		t.Errorf("got %s", text)
	}
	got[1].Work = &work
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLinesOfManyDoNotMix(t *testing.T) {
	one, path := open(t)
	other, err := progress.Open(environment(path)) // as another process has it
	if err != nil {
		t.Fatal(err)
	}
	const times = 200
	var wg sync.WaitGroup
	for worker, said := range []*progress.Teller{one, one, other, other} {
		wg.Go(func() {
			for range times {
				said.Start(worker, "a spec with a text of some length")
			}
		})
	}
	wg.Wait()
	if got := len(read(t, path)); got != 4*times {
		t.Errorf("%d events, want %d", got, 4*times)
	}
}

func TestNothingIsSaidWhereThisIsNotAskedFor(t *testing.T) {
	said, err := progress.Open(environment(""))
	if said != nil || err != nil {
		t.Fatalf("got %v, %v", said, err)
	}
	said.Begin(progress.Work{})
	if err := said.Close(); err != nil {
		t.Error(err)
	}
}

func TestAFileThatIsNotThereIsAnError(t *testing.T) {
	if _, err := progress.Open(environment(filepath.Join(t.TempDir(), "none"))); err == nil {
		t.Error("no error")
	}
}

func TestWithout(t *testing.T) {
	all := []string{"A=1", progress.Variable + "=x", progress.Variable + "S=2"}
	if got := progress.Without(all); !slices.Equal(got, []string{"A=1", progress.Variable + "S=2"}) || len(all) != 3 {
		t.Errorf("got %v of %v", got, all)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, line := range []string{"", "{", `{"kind":"begin"}`} {
		if e, err := progress.Decode([]byte(line)); err == nil {
			t.Errorf("%q is %v", line, e)
		}
	}
}
