// Package hostile loads the statements of fixtures/hostile: statements that need too much memory
// or time, are nested too deeply, or are invalid. A database must answer each of them, with a
// success or an error, and keep running.
package hostile

import (
	"bufio"
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/fixtures"
)

// Statement is one hostile request.
type Statement struct {
	Class string
	Name  string
	// Setup are the requests to run before it.
	Setup []string
	SQL   string
}

func (s Statement) String() string { return s.Class + ": " + s.Name }

const (
	folder    = "hostile"
	baseFile  = "base.sql"
	nameLine  = "-- name: "
	setupLine = "-- setup: "
)

// Base returns the requests to run before all others.
func Base() ([]string, error) {
	text, err := fixtures.Files.ReadFile(path.Join(folder, baseFile))
	if err != nil {
		return nil, err
	}
	return []string{string(text)}, nil
}

// Load returns all statements, by class, in the order of their files. The order matters: some
// statements need the objects created by earlier ones.
func Load() ([]Statement, error) {
	files, err := fixtures.Files.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var all []Statement
	for _, file := range files {
		if file.Name() == baseFile {
			continue
		}
		text, err := fixtures.Files.ReadFile(path.Join(folder, file.Name()))
		if err != nil {
			return nil, err
		}
		statements, err := parse(strings.TrimSuffix(file.Name(), ".sql"), text)
		if err != nil {
			return nil, fmt.Errorf("hostile statements in %s: %w", file.Name(), err)
		}
		all = append(all, statements...)
	}
	return all, nil
}

func parse(class string, text []byte) ([]Statement, error) {
	var out []Statement
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	open := false // a name was read, but not its statement
	for number := 1; lines.Scan(); number++ {
		line := lines.Text()
		name, isName := strings.CutPrefix(line, nameLine)
		setup, isSetup := strings.CutPrefix(line, setupLine)
		switch {
		case isName && open:
			return nil, fmt.Errorf("line %d: %q has no statement", number, out[len(out)-1].Name)
		case isName:
			if slices.ContainsFunc(out, func(s Statement) bool { return s.Name == name }) {
				return nil, fmt.Errorf("line %d: duplicate name %q", number, name)
			}
			out, open = append(out, Statement{Class: class, Name: name}), true
		case open && isSetup:
			last := &out[len(out)-1]
			last.Setup = append(last.Setup, Expand(setup))
		case open:
			out[len(out)-1].SQL, open = Expand(line), false
		}
	}
	return out, lines.Err()
}

var times = regexp.MustCompile(`\{\{(\d+)\|([^|]*)\|(.*?)\}\}`)

// Expand expands templates of the form {{count|separator|text}}. In text, # is the number of the
// repetition, from 0.
func Expand(text string) string {
	return times.ReplaceAllStringFunc(text, func(template string) string {
		part := times.FindStringSubmatch(template)
		n, _ := strconv.Atoi(part[1]) // digits
		var out strings.Builder
		for i := range n {
			if i > 0 {
				out.WriteString(part[2])
			}
			out.WriteString(strings.ReplaceAll(part[3], "#", strconv.Itoa(i)))
		}
		return out.String()
	})
}
