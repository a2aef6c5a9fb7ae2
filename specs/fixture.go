package specs

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/rejoin-db/rejoin/fixtures"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

func readFixture(path string) string {
	content, err := fs.ReadFile(fixtures.Files, path)
	if err != nil {
		panic(err) // the files are part of the binary
	}
	return string(content)
}

// change is a change while a node is away: a file of fixtures/changes.
type change struct {
	name       string
	checks     []string // queries that all nodes must answer alike afterwards
	refused    []string // queries that no node may answer afterwards
	fails      bool     // whether every statement must fail
	chance     bool     // whether values come from the clock or from chance
	statements []string
}

func readChanges() []change {
	files, err := fs.Glob(fixtures.Files, "changes/*.sql")
	if err != nil || len(files) == 0 {
		panic(fmt.Sprintf("fixtures/changes holds no changes (%v)", err))
	}
	changes := make([]change, len(files))
	for i, file := range files {
		changes[i] = readChange(readFixture(file))
	}
	return changes
}

// readChange parses a file. {ns} is not SQL, so a name stands for it while the statements are
// split.
func readChange(text string) change {
	const stand = "namespace_of_the_spec"
	var c change
	for line := range strings.Lines(text) {
		comment, isComment := strings.CutPrefix(strings.TrimSpace(line), "-- ")
		query, isCheck := strings.CutPrefix(comment, "check: ")
		gone, isRefused := strings.CutPrefix(comment, "refused: ")
		switch {
		case !isComment:
		case isCheck:
			c.checks = append(c.checks, query)
		case isRefused:
			c.refused = append(c.refused, gone)
		case comment == "fails:":
			c.fails = true
		case comment == "chance:":
			c.chance = true
		case c.name == "":
			c.name = comment
		}
	}
	statements, err := sqltext.Split(strings.ReplaceAll(text, "{ns}", stand))
	if err != nil {
		panic(err)
	}
	for _, s := range statements {
		c.statements = append(c.statements, strings.ReplaceAll(s.Text, stand, "{ns}"))
	}
	return c
}
