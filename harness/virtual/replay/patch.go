package replay

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// patch changes one file of Go's sources: it replaces Find, which must occur exactly once, by With. Patches of one
// file apply in order, so a patch sees the result of earlier ones.
type patch struct {
	File       string // relative to GOROOT/src, with slashes, for example "runtime/proc.go"
	Find, With string
	Or         []edit // alternatives for other releases: exactly one of Find and these must fit
}

// edit is a text to find and its replacement.
type edit struct{ Find, With string }

// addition is a file that Go's sources do not have.
type addition struct {
	File string // relative to GOROOT/src, with slashes; must not exist
	Text string // the whole file
}

// MisfitError reports that a patch does not fit the sources of a Go release.
type MisfitError struct {
	Go    string   // the release, for example "go1.26.8"
	File  string   // relative to GOROOT/src
	Find  []string // the alternative texts; exactly one must occur, exactly once
	Found []int    // number of occurrences of each
	Err   error    // why File could not be read or added; nil if the problem is Find
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

// shorten returns the first non-blank line of the text, at most 80 characters of it.
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
		return "0 times"
	case 1:
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// apply applies the patch to the text of its file.
func (p patch) apply(goVersion, text string) (string, error) {
	edits := append([]edit{{p.Find, p.With}}, p.Or...)
	misfit := &MisfitError{Go: goVersion, File: p.File}
	var fits []edit
	total := 0
	for _, e := range edits {
		n := strings.Count(text, e.Find)
		if e.Find == "" {
			n = 0 // an empty text marks no place
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

// patched returns the text of the files that patches and additions change in root, a GOROOT of that version. Keys are
// relative to root/src, with slashes. The error is a *MisfitError, errNoSources, or a read error.
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
				return nil, &MisfitError{Go: goVersion, File: p.File, Err: errors.New("the file does not exist")}
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
			return nil, &MisfitError{Go: goVersion, File: a.File, Err: errors.New("the file already exists")}
		}
		files[a.File] = a.Text
	}
	return files, nil
}

var errNoSources = errors.New("its sources are not installed")
