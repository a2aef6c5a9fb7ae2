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

// costs are bugs of what statements may take.
func costs() []Defect {
	const kind = "costs"
	return []Defect{
		inMachine("budget-counts-from-the-start-of-the-node", kind,
			"a node counts what statements take since it started, and refuses those that take much when it has been up for long", "suite:hostile",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				taken := 0
				return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) []any {
					return withoutDear(inner, logs, &taken)
				}}
			}),
		{
			Name: "endless-read-locks-others-out", Kind: kind, About: "suite:hostile",
			Text: "a node that has once ended a read because of what it takes reads nothing any more",
			seams: func(embedded.Life) embedded.Seams {
				var locked atomic.Bool
				return embedded.Seams{Handler: overSQL(func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
					endless := strings.Contains(asked.SQL, "RECURSIVE") && !strings.Contains(asked.SQL, "LIMIT")
					switch {
					case strings.HasPrefix(asked.SQL, "SELECT") && locked.Load():
						http.Error(w, `{"status":"error","error":{"code":"TIMEOUT","message":"all connections for reading are taken"}}`, http.StatusServiceUnavailable)
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

// dearAtMost is how many dear statements such a node applies.
const dearAtMost = 3

var errTaken = errors.New("the statements take too many steps: split the request")

// withoutDear has entries applied, but for dear ones once there were many.
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
