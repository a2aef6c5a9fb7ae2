package workload

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"github.com/rejoin-db/rejoin/fixtures"
	"github.com/rejoin-db/rejoin/harness"
)

// statements are the requests of a workload by name, from a file of fixtures/workloads, in the workload's
// namespace.
type statements map[string]string

// readStatements reads a file. It panics if there is no such file: the files are embedded in the binary.
func readStatements(file, ns string) statements {
	text, err := fs.ReadFile(fixtures.Files, "workloads/"+file+".sql")
	if err != nil {
		panic(err)
	}
	s := make(statements)
	var name string
	for line := range strings.Lines(strings.ReplaceAll(string(text), "{ns}", ns)) {
		if heading, is := strings.CutPrefix(line, "-- name: "); is {
			name = strings.TrimSpace(heading)
		} else if name != "" {
			s[name] += line
		}
	}
	for name := range s {
		s[name] = strings.TrimSpace(s[name])
	}
	return s
}

// get returns the request of that name, with replacements: pairs of a word in braces, and its text.
func (s statements) get(name string, replaced ...string) string {
	sql, is := s[name]
	if !is {
		panic(fmt.Sprintf("a workload has no request %q", name))
	}
	return strings.NewReplacer(replaced...).Replace(sql)
}

// setup runs the request named setup until it succeeds.
func (s statements) setup(ctx context.Context, c *harness.Cluster) error {
	_, err := c.ExecuteWithRetry(ctx, s.get("setup"))
	return err
}
