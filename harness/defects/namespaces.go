package defects

import (
	"fmt"
	"regexp"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// namespaces are bugs of the SQL dialect.
func namespaces() []Defect {
	const kind, about = "dialect", "suite:namespaces"
	return []Defect{
		inMachine("drop-namespace-takes-its-neighbours", kind,
			"dropping a namespace drops a table outside of it whose name begins with that of the namespace and a dot", about,
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return rewriting(inner, func(_ *raft.Log, entry machine.Entry) machine.Entry {
					entry.SQL = dropsNamespace.ReplaceAllString(entry.SQL, `$0; DROP TABLE IF EXISTS "$1.csv"`)
					return entry
				})
			}),
		inMachine("drop-namespace-always-cascades", kind,
			"dropping a namespace without CASCADE drops its content", about,
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return rewriting(inner, func(_ *raft.Log, entry machine.Entry) machine.Entry {
					entry.SQL = dropsOnly.ReplaceAllString(entry.SQL, "$1 CASCADE")
					return entry
				})
			}),
		inMachine("local-time-is-each-nodes-own", kind,
			"the modifier localtime is a different time zone on every node", about,
			func(inner raft.BatchingFSM, life embedded.Life) raft.BatchingFSM {
				return rewriting(inner, func(_ *raft.Log, entry machine.Entry) machine.Entry {
					entry.SQL = localTime.ReplaceAllString(entry.SQL, fmt.Sprintf("'+%d hours'", numberOf(life)))
					return entry
				})
			}),
	}
}

var (
	dropsNamespace = regexp.MustCompile(`(?i)\bDROP NAMESPACE (\w+) CASCADE`)
	dropsOnly      = regexp.MustCompile(`(?i)(\bDROP NAMESPACE (?:IF EXISTS )?\w+)(?: RESTRICT)?\s*(?:$)`)
	localTime      = regexp.MustCompile(`(?i)'localtime'`)
)
