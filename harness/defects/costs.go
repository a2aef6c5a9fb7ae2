package defects

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// costs are bugs in the limits on the cost of statements.
func costs() []Defect {
	const kind = "costs"
	return []Defect{
		inMachine("budget-counts-from-the-start-of-the-node", kind,
			"a node adds up the cost of all statements since its start, and in the end rejects expensive ones", "suite:hostile",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				taken := 0
				return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) []any {
					return withoutDear(inner, logs, &taken)
				}}
			}),
		{
			Name: "endless-read-locks-others-out", Kind: kind, About: "suite:hostile",
			Text: "after a node has ended one read for its cost, it answers no further reads",
			seams: func(embedded.Life) embedded.Seams {
				var locked atomic.Bool
				return embedded.Seams{Handler: overSQL(func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
					endless := strings.Contains(asked.SQL, "RECURSIVE") && !strings.Contains(asked.SQL, "LIMIT")
					switch {
					case strings.HasPrefix(asked.SQL, "SELECT") && locked.Load():
						const message = "all connections for reading are taken"
						http.Error(w, `{"status":"error","error":{"code":"TIMEOUT","message":"`+message+`"}}`, http.StatusServiceUnavailable)
					default:
						inner.ServeHTTP(w, r)
						if endless {
							locked.Store(true)
						}
					}
				})}
			}},
	}
}

// dearAtMost is how many expensive statements the node applies.
const dearAtMost = 3

var errTaken = errors.New("the statements take too many steps: split the request")

// withoutDear applies entries, except for expensive ones after the first dearAtMost.
func withoutDear(inner raft.BatchingFSM, logs []*raft.Log, taken *int) []any {
	out := make([]any, 0, len(logs))
	for _, log := range logs {
		entry, err := machine.Decode(log.Data)
		dear := log.Type == raft.LogCommand && err == nil && strings.Contains(entry.SQL, "RECURSIVE")
		if dear {
			*taken++
		}
		if !dear || *taken <= dearAtMost {
			out = append(out, inner.ApplyBatch([]*raft.Log{log})...)
			continue
		}
		mark := *log
		mark.Data, _ = machine.Entry{}.Encode()
		inner.ApplyBatch([]*raft.Log{&mark})
		out = append(out, machine.Response{Err: errTaken})
	}
	return out
}
