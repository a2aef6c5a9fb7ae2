package runs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/report/page"
)

// The bounds of what is kept.
const (
	Most      = 20        // runs
	MostBytes = 200 << 20 // the newest run is kept even if it is larger
)

// Run is what the list says about a run.
type Run struct {
	Kind    string    `json:"kind,omitempty"` // what ran, such as "chaos"; empty for a suite
	Title   string    `json:"title"`
	Verdict string    `json:"verdict"`
	Good    bool      `json:"good"`
	Began   time.Time `json:"began"`
	Took    string    `json:"took,omitempty"`
	Seed    string    `json:"seed,omitempty"`
	Target  string    `json:"target,omitempty"`
	Nodes   string    `json:"nodes,omitempty"`
	Passed  int       `json:"passed"`
	Failed  int       `json:"failed"`
	Skipped int       `json:"skipped"`
	// Folder has the page, below the folder of the list; Bytes is its size. The list reads both from the file system.
	Folder string `json:"-"`
	Bytes  int64  `json:"-"`
}

// Folder is where the runs are kept whose latest page is that file.
func Folder(file string) string { return filepath.Join(filepath.Dir(file), "runs") }

const (
	indexFile = "index.html"
	runFile   = "run.json"
	// pending begins the names of folders with what a run has not yet put into a page.
	pending = ".pending-"
	// longestRun is how old such a folder must be to be removed: no run takes so long.
	longestRun = 48 * time.Hour
)

// Pending makes a folder for files that are needed until the page of a run is written. Who makes it removes it. One that is left is
// removed by a later Keep.
func Pending(file string) (string, error) {
	folder, err := folderAt(Folder(file))
	if err != nil {
		return "", err
	}
	return os.MkdirTemp(folder, pending)
}

// Keep writes the page of a collection to the file and to a folder of its own, removes the oldest runs, and writes the list. A page
// is in its place only when it is complete. It may run in several processes at a time.
func Keep(file string, c *page.Collection) error {
	folder, err := folderAt(Folder(file))
	if err != nil {
		return fmt.Errorf("keep a run: %w", err)
	}
	about := describe(c.Run())
	own, err := newFolder(folder, about)
	if err != nil {
		return fmt.Errorf("keep a run: %w", err)
	}
	c.Runs = "../" + indexFile
	err = writePage(filepath.Join(own, indexFile), c)
	if err == nil {
		err = writeJSON(filepath.Join(own, runFile), about)
	}
	if err == nil {
		c.Runs = filepath.Base(folder) + "/" + indexFile
		err = writePage(file, c)
	}
	if err == nil {
		err = list(folder)
	}
	if err != nil {
		return fmt.Errorf("keep a run: %w", err)
	}
	return nil
}

// folderAt makes a folder and those above it. The first one that is new tells git to ignore it.
func folderAt(folder string) (string, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	first := ""
	for f := folder; ; f = filepath.Dir(f) {
		if _, err := os.Stat(f); err == nil {
			break
		}
		first = f
	}
	if err := os.MkdirAll(folder, 0o777); err != nil || first == "" {
		return folder, err
	}
	return folder, os.WriteFile(filepath.Join(first, ".gitignore"), []byte("*\n"), 0o666)
}

func newFolder(folder string, about Run) (string, error) {
	name := about.Began.UTC().Format("20060102T150405Z")
	if about.Seed != "" && !strings.ContainsAny(about.Seed, ", /\\") {
		name += "-" + about.Seed
	}
	for n := 1; ; n++ {
		own := filepath.Join(folder, name)
		if n > 1 {
			own += fmt.Sprintf("-%d", n)
		}
		if err := os.Mkdir(own, 0o777); !errors.Is(err, fs.ErrExist) {
			return own, err
		}
	}
}

func describe(r page.Run) Run {
	about := Run{Kind: r.Kind, Title: r.Title, Verdict: r.Verdict, Good: r.Passed, Began: r.Started}
	if about.Began.IsZero() {
		about.Began = time.Now()
	}
	for _, f := range r.Facts {
		switch f.Name {
		case "seed":
			about.Seed = f.Value
		case "target":
			about.Target = f.Value
		case "nodes":
			about.Nodes = f.Value
		case "real time":
			about.Took = f.Value
		}
	}
	for _, s := range r.Specs {
		switch s.Group {
		case "failed":
			about.Failed++
		case "skipped":
			about.Skipped++
		case "passed", "slow":
			about.Passed++
		}
	}
	return about
}

func writePage(path string, c *page.Collection) error {
	var html bytes.Buffer
	if err := c.Write(&html); err != nil {
		return err
	}
	return replace(path, html.Bytes())
}

func writeJSON(path string, about Run) error {
	content, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return err
	}
	return replace(path, append(content, '\n'))
}

// replace puts a file in its place when it is complete.
func replace(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	made, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = made.Write(content)
	if err == nil {
		err = made.Chmod(0o644)
	}
	if err = errors.Join(err, made.Close()); err == nil {
		err = os.Rename(made.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(made.Name()))
	}
	return nil
}

// list removes the oldest runs, and writes the list of the others.
func list(folder string) error {
	if err := sweep(folder); err != nil {
		return err
	}
	all, err := Read(folder)
	if err != nil {
		return err
	}
	kept, bytes := all[:0], int64(0)
	for i, r := range all {
		if bytes += r.Bytes; i >= Most || i > 0 && bytes > MostBytes {
			if err := os.RemoveAll(filepath.Join(folder, r.Folder)); err != nil {
				return err
			}
			continue
		}
		kept = append(kept, r)
	}
	html, err := render(kept)
	if err != nil {
		return err
	}
	return replace(filepath.Join(folder, indexFile), html)
}

// Read returns the runs that are kept in a folder, the newest first. A folder without a complete run is left out.
func Read(folder string) ([]Run, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var all []Run
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(folder, e.Name(), runFile))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		r := Run{Folder: e.Name()}
		if err := json.Unmarshal(content, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(folder, e.Name(), runFile), err)
		}
		if info, err := os.Stat(filepath.Join(folder, e.Name(), indexFile)); err == nil {
			r.Bytes = info.Size()
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Run) int {
		if order := b.Began.Compare(a.Began); order != 0 {
			return order
		}
		return strings.Compare(b.Folder, a.Folder)
	})
	return all, nil
}

// sweep removes what runs that were killed have left.
func sweep(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() || time.Since(info.ModTime()) < longestRun {
			continue // another process may have removed it
		}
		_, err = os.Stat(filepath.Join(folder, e.Name(), runFile))
		if strings.HasPrefix(e.Name(), pending) || errors.Is(err, fs.ErrNotExist) {
			if err := os.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
