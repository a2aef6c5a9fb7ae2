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

// names are bugs in the meaning of names.
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
			"dropping a namespace drops those that its name matches as a pattern, where an underscore is any letter", about,
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
		rewritten("namespaces-mind-case", "a namespace name with capitals counts as different, and can be created again",
			regexp.MustCompile(`\bCREATE NAMESPACE (\w*[a-z_]\w*[A-Z])`), "CREATE NAMESPACE IF NOT EXISTS $1"),
		rewritten("renamed-table-is-a-copy", "renaming a table of a namespace loses its indexes, triggers and counter",
			regexp.MustCompile(`\bALTER TABLE (\w+)\.(\w+) RENAME TO (\w+)`), "CREATE TABLE $1.$3 AS SELECT * FROM $1.$2; DROP TABLE $1.$2"),
		rewritten("texts-are-taken-for-names", "a text that begins like a name with a namespace is rewritten like that name",
			regexp.MustCompile(`'(\w+)\.(\w+)`), `'"$1.$2"`),
		rewritten("comments-are-run", "text after a semicolon at the beginning of a comment is executed",
			regexp.MustCompile(`--\s*;`), ";"),
		rewritten("foreign-keys-end-at-their-namespace", "a foreign key to a table of a different namespace is dropped",
			regexp.MustCompile(`REFERENCES \w+\.\w+ \(\w+\)(?: ON DELETE CASCADE)?`), ""),
		rewritten("namespace-is-dropped-twice", "dropping a missing namespace is not an error",
			regexp.MustCompile(`\bDROP NAMESPACE (\w+)$`), "DROP NAMESPACE IF EXISTS $1"),
		inHandler("brackets-are-no-quotes", kind, "the brackets around a name are ignored", about,
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
