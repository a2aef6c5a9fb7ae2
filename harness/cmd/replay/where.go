package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// decisionsIn returns the folder for the decisions of a run with that directory.
func decisionsIn(dir string) string { return filepath.Join(dir, "decisions") }

// before is the number of lines to show before a difference.
const before = 3

// partings prints, for each bubble, the first decision that differs from the first run.
func partings(all []played, out io.Writer) error {
	parted, bubbles := 0, 0
	for n, one := range all[1:] {
		names, err := bubblesOf(all[0].decisions, one.decisions)
		if err != nil {
			return err
		}
		bubbles = max(bubbles, len(names))
		for _, name := range names {
			differs, err := parting(filepath.Join(all[0].decisions, name), filepath.Join(one.decisions, name))
			if err != nil {
				return err
			}
			if differs != "" {
				parted++
				fmt.Fprintf(out, "bubble %s: the decisions of run 1 (<) and run %d (>) differ\n%s", name, n+2, differs)
			}
		}
	}
	switch {
	case bubbles == 0:
		fmt.Fprintln(out, "no decisions were written, so none were compared")
	case parted == 0:
		fmt.Fprintf(out, "all decisions are the same, in %d bubbles\n", bubbles)
	}
	return nil
}

// bubblesOf returns the sorted names of the files in the folders.
func bubblesOf(folders ...string) ([]string, error) {
	names := make(map[string]bool)
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return nil, fmt.Errorf("read the decisions of a run: %w", err)
		}
		for _, e := range entries {
			names[e.Name()] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// parting returns the first line at which two files differ, of both sides, with the lines before it; "" if they are
// equal.
func parting(first, other string) (string, error) {
	a, err := openLines(first)
	if err != nil {
		return "", err
	}
	defer a.close()
	b, err := openLines(other)
	if err != nil {
		return "", err
	}
	defer b.close()
	var same []string
	for {
		x, more, err := a.next()
		if err != nil {
			return "", fmt.Errorf("%s: %w", first, err)
		}
		y, also, err := b.next()
		if err != nil {
			return "", fmt.Errorf("%s: %w", other, err)
		}
		if !more && !also {
			return "", nil
		}
		if x != y || more != also {
			text := ""
			for _, line := range same {
				text += "  " + line + "\n"
			}
			return text + "< " + ended(x, more) + "\n> " + ended(y, also) + "\n", nil
		}
		if same = append(same, x); len(same) > before {
			same = same[1:]
		}
	}
}

func ended(line string, more bool) string {
	if !more {
		return "(nothing more)"
	}
	return line
}

// lineFile reads a gzip file line by line. The zero value is an empty file.
type lineFile struct {
	file *os.File
	text *bufio.Reader
}

// openLines opens a file. A missing file is empty.
func openLines(path string) (*lineFile, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return &lineFile{}, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := gzip.NewReader(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return &lineFile{file, bufio.NewReader(text)}, nil
}

func (f *lineFile) next() (line string, more bool, err error) {
	if f.text == nil {
		return "", false, nil
	}
	line, err = f.text.ReadString('\n')
	if errors.Is(err, io.EOF) {
		return line, line != "", nil
	}
	if err != nil {
		return "", false, err
	}
	return line[:len(line)-1], true, nil
}

func (f *lineFile) close() {
	if f.file != nil {
		_ = f.file.Close() // only read
	}
}
