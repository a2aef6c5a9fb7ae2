package replay

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// patch changes one file of Go's sources. Find must occur in it exactly once, and With
// takes its place. Patches of one file are made in order, so a later one sees what an
// earlier one wrote.
type patch struct {
	File       string // relative to GOROOT/src, with slashes, as in "runtime/proc.go"
	Find, With string
	Or         []edit // for releases with another text: exactly one of Find and these must fit
}

// edit is another text to find, and what takes its place.
type edit struct{ Find, With string }

// addition is a file that Go's sources do not have.
type addition struct {
	File string // relative to GOROOT/src, with slashes; no such file may be there
	Text string // the whole file
}

// MisfitError says that a patch does not fit the sources of a Go release.
type MisfitError struct {
	Go    string   // the release, as in "go1.26.8"
	File  string   // relative to GOROOT/src
	Find  []string // the texts that were looked for; exactly one must occur, exactly once
	Found []int    // how often each of them occurs
	Err   error    // why File could not be read or added; nil if it is about Find
}

func (e *MisfitError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("the patch of %s does not fit %s: %v", e.File, e.Go, e.Err)
	}
	counts := make([]string, len(e.Find))
	for i, text := range e.Find {
		counts[i] = fmt.Sprintf("%q occurs %s", shorten(text), times(e.Found[i]))
	}
	must := "must occur once"
	if len(counts) > 1 {
		must = "exactly one of these must occur once"
	}
	return fmt.Sprintf("the patch of %s does not fit %s: %s, and %s", e.File, e.Go, strings.Join(counts, ", "), must)
}

func (e *MisfitError) Unwrap() error { return e.Err }

// shorten is the text's first line that is not blank, and no more than a sentence has room for.
func shorten(text string) string {
	text = strings.TrimSpace(text)
	line, rest, _ := strings.Cut(text, "\n")
	const most = 80
	if runes := []rune(line); len(runes) > most {
		line, rest = string(runes[:most]), "more"
	}
	if rest != "" {
		line += " …"
	}
	return line
}

func times(n int) string {
	switch n {
	case 0:
		return "nowhere"
	case 1:
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// apply changes text, which is the file's so far.
func (p patch) apply(goVersion, text string) (string, error) {
	edits := append([]edit{{p.Find, p.With}}, p.Or...)
	misfit := &MisfitError{Go: goVersion, File: p.File}
	var fits []edit
	total := 0
	for _, e := range edits {
		n := strings.Count(text, e.Find)
		if e.Find == "" {
			n = 0 // an empty text is no anchor
		}
		misfit.Find, misfit.Found = append(misfit.Find, e.Find), append(misfit.Found, n)
		total += n
		if n == 1 {
			fits = append(fits, e)
		}
	}
	if total != 1 {
		return "", misfit
	}
	return strings.Replace(text, fits[0].Find, fits[0].With, 1), nil
}

// patched is what the files of patches and additions hold when all are made in the
// sources of root, a GOROOT of that version. Keys are relative to root/src, with slashes.
// The error is a *MisfitError, errNoSources, or one of reading.
func patched(goVersion, root string, patches []patch, additions []addition) (map[string]string, error) {
	src := filepath.Join(root, "src")
	if _, err := os.Stat(filepath.Join(src, "runtime")); errors.Is(err, fs.ErrNotExist) {
		return nil, errNoSources
	}
	files := map[string]string{}
	for _, p := range patches {
		text, ok := files[p.File]
		if !ok {
			read, err := os.ReadFile(filepath.Join(src, filepath.FromSlash(p.File)))
			if errors.Is(err, fs.ErrNotExist) {
				return nil, &MisfitError{Go: goVersion, File: p.File, Err: errors.New("there is no such file")}
			}
			if err != nil {
				return nil, err
			}
			text = string(read)
		}
		text, err := p.apply(goVersion, text)
		if err != nil {
			return nil, err
		}
		files[p.File] = text
	}
	for _, a := range additions {
		_, err := os.Stat(filepath.Join(src, filepath.FromSlash(a.File)))
		if _, twice := files[a.File]; twice || err == nil {
			return nil, &MisfitError{Go: goVersion, File: a.File, Err: errors.New("there is such a file already")}
		}
		files[a.File] = a.Text
	}
	return files, nil
}

var errNoSources = errors.New("its sources are not installed")
