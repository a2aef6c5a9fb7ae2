package defects

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// names are bugs of what names mean.
func names() []Defect {
	const kind, about = "names", "suite:names"
	rewritten := func(name, text string, pattern *regexp.Regexp, by string) Defect {
		return inMachine(name, kind, text, about, func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
			return rewriting(inner, func(_ *raft.Log, entry machine.Entry) machine.Entry {
				entry.SQL = pattern.ReplaceAllString(entry.SQL, by)
				return entry
			})
		})
	}
	return []Defect{
		inMachine("dropped-namespace-is-a-pattern", kind,
			"a namespace that is dropped takes those with it whose names are like it, where an underscore is any letter", about,
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				known := make(map[string]bool)
				return rewriting(inner, func(_ *raft.Log, entry machine.Entry) machine.Entry {
					for _, made := range makesNamespace.FindAllStringSubmatch(entry.SQL, -1) {
						known[made[1]] = true
					}
					entry.SQL = dropsNamespace.ReplaceAllStringFunc(entry.SQL, func(drop string) string {
						name := dropsNamespace.FindStringSubmatch(drop)[1]
						like := regexp.MustCompile("^" + strings.ReplaceAll(name, "_", ".") + "$")
						for other := range known {
							if other != name && like.MatchString(other) {
								drop += "; DROP NAMESPACE IF EXISTS " + other + " CASCADE"
							}
						}
						return drop
					})
					return entry
				})
			}),
		rewritten("namespaces-mind-case", "a namespace whose name has capitals is taken for another one, and can be made again",
			regexp.MustCompile(`\bCREATE NAMESPACE (\w*[a-z_]\w*[A-Z])`), "CREATE NAMESPACE IF NOT EXISTS $1"),
		rewritten("renamed-table-is-a-copy", "a table of a namespace that is renamed leaves its indexes, triggers and counter behind",
			regexp.MustCompile(`\bALTER TABLE (\w+)\.(\w+) RENAME TO (\w+)`), "CREATE TABLE $1.$3 AS SELECT * FROM $1.$2; DROP TABLE $1.$2"),
		rewritten("texts-are-taken-for-names", "a text that begins like a name with its namespace is written as SQLite spells that name",
			regexp.MustCompile(`'(\w+)\.(\w+)`), `'"$1.$2"`),
		rewritten("comments-are-run", "what follows a semicolon at the beginning of a comment is run",
			regexp.MustCompile(`--\s*;`), ";"),
		rewritten("foreign-keys-end-at-their-namespace", "a foreign key to a table of another namespace is not kept",
			regexp.MustCompile(`REFERENCES \w+\.\w+ \(\w+\)(?: ON DELETE CASCADE)?`), ""),
		rewritten("namespace-is-dropped-twice", "dropping a namespace that is not there is no error",
			regexp.MustCompile(`\bDROP NAMESPACE (\w+)$`), "DROP NAMESPACE IF EXISTS $1"),
		inHandler("brackets-are-no-quotes", kind, "a name in brackets is read as if it had none", about,
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
				asked.SQL = bracketed.ReplaceAllString(asked.SQL, "$1")
				inner.ServeHTTP(w, asking(r, asked))
			}),
	}
}

var (
	makesNamespace = regexp.MustCompile(`\bCREATE NAMESPACE (?:IF NOT EXISTS )?(\w+)`)
	bracketed      = regexp.MustCompile(`\[([^\]]*)\]`)
)
