package defects

import (
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// keptKeys is the number of log entries after which the node forgets a key.
const keptKeys = 64

func keys() []Defect {
	const kind = "keys"
	return []Defect{
		inMachine("key-answers-for-another-request", kind,
			"a request gets the answer of a different request with the same key", "suite:keys",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				first := make(map[string]machine.Entry)
				return rewriting(inner, func(_ *raft.Log, entry machine.Entry) machine.Entry {
					if entry.ID == "" {
						return entry
					}
					if asked, known := first[entry.ID]; known {
						entry.SQL, entry.Params = asked.SQL, asked.Params
					}
					first[entry.ID] = entry
					return entry
				})
			}),
		inMachine("keys-are-forgotten-early", kind,
			fmt.Sprintf("a key is forgotten after %d log entries", keptKeys), "suite:keys",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				latest := make(map[string]uint64)
				return rewriting(inner, func(log *raft.Log, entry machine.Entry) machine.Entry {
					if entry.ID == "" {
						return entry
					}
					before, known := latest[entry.ID]
					latest[entry.ID] = log.Index
					if known && log.Index-before > keptKeys {
						entry.ID = fmt.Sprintf("%s-forgotten-%d", entry.ID, log.Index)
					}
					return entry
				})
			}),
	}
}
