package defects

import (
	"bytes"
	"slices"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

func restart() []Defect {
	const kind = "restart"
	return []Defect{
		inStores("forgets-synced-entries", kind,
			"after a restart, a node has lost the last entries that it had synced", "suite:crash",
			func(s embedded.Stores) embedded.Stores {
				const lost = 3
				first, err := s.Log.FirstIndex()
				if err != nil || first == 0 {
					return s
				}
				if last, err := s.Log.LastIndex(); err == nil && last >= first+lost {
					_ = s.Log.DeleteRange(last-lost+1, last)
				}
				return s
			}),
		inStores("forgets-its-vote", kind,
			"after a restart, a node has forgotten its vote", "suite:modes",
			func(s embedded.Stores) embedded.Stores {
				s.Stable = &forgetful{StableStore: s.Stable}
				return s
			}),
		replaying("replays-from-too-low", kind,
			"a node that starts from a snapshot applies the snapshot's last entry again", "suite:snapshot",
			func(inner raft.BatchingFSM, logs []*raft.Log, log raft.LogStore) []any {
				var before raft.Log
				if err := log.GetLog(logs[0].Index-1, &before); err == nil {
					if entry, is := entryOf(&before); is {
						entry.ID = ""
						inner.ApplyBatch([]*raft.Log{with(&before, entry)})
					}
				}
				return inner.ApplyBatch(logs)
			}),
		replaying("replays-from-too-high", kind,
			"after a restart, a node skips the first entry that it replays", "suite:modes",
			func(inner raft.BatchingFSM, logs []*raft.Log, _ raft.LogStore) []any {
				first := slices.IndexFunc(logs, func(log *raft.Log) bool { _, is := entryOf(log); return is })
				return inner.ApplyBatch(replaced(logs, []int{first}))
			}),
	}
}

// inStores is a bug in the stores of a node that was started before.
func inStores(name, kind, text, about string, change func(embedded.Stores) embedded.Stores) Defect {
	return Defect{Name: name, Kind: kind, Text: text, About: about, seams: func(embedded.Life) embedded.Seams {
		return embedded.Seams{Stores: func(s embedded.Stores) embedded.Stores {
			if !hasLived(s) {
				return s
			}
			return change(s)
		}}
	}}
}

func hasLived(s embedded.Stores) bool {
	last, err := s.Log.LastIndex()
	if err == nil && last > 0 {
		return true
	}
	snapshots, err := s.Snapshots.List()
	return err == nil && len(snapshots) > 0
}

// forgetful returns only votes that it has stored itself.
type forgetful struct {
	raft.StableStore
	stored bool
}

var lastVote = []byte("LastVote")

func (s *forgetful) GetUint64(key []byte) (uint64, error) {
	if bytes.HasPrefix(key, lastVote) && !s.stored {
		return 0, nil
	}
	return s.StableStore.GetUint64(key)
}

func (s *forgetful) Get(key []byte) ([]byte, error) {
	if bytes.HasPrefix(key, lastVote) && !s.stored {
		return nil, nil
	}
	return s.StableStore.Get(key)
}

func (s *forgetful) SetUint64(key []byte, value uint64) error {
	s.stored = s.stored || bytes.HasPrefix(key, lastVote)
	return s.StableStore.SetUint64(key, value)
}

// replaying is a bug in the first batch of requests after a restart.
func replaying(
	name, kind, text, about string, do func(inner raft.BatchingFSM, logs []*raft.Log, log raft.LogStore) []any,
) Defect {
	return Defect{Name: name, Kind: kind, Text: text, About: about, seams: func(embedded.Life) embedded.Seams {
		var log raft.LogStore // nil in the first life, and after the first batch
		return embedded.Seams{
			Stores: func(s embedded.Stores) embedded.Stores {
				if hasLived(s) {
					log = s.Log
				}
				return s
			},
			Machine: func(inner raft.BatchingFSM) raft.BatchingFSM {
				return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) []any {
					if log == nil || !slices.ContainsFunc(logs, func(log *raft.Log) bool { _, is := entryOf(log); return is }) {
						return inner.ApplyBatch(logs)
					}
					from := log
					log = nil
					return do(inner, logs, from)
				}}
			},
		}
	}}
}
