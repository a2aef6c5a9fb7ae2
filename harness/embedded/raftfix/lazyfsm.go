package raftfix

import "github.com/hashicorp/raft"

// LoadApplies returns a state machine that loads the data of entries before it applies them, at most
// 8 MiB in one batch. If a committed entry cannot be read, the node fails, because no later entry may
// be applied: fail must mark the node as failed and stop its network traffic before it returns.
// failed returns the response to an entry that is not applied for that reason.
func LoadApplies(inner raft.BatchingFSM, log *LazyLog, fail func(error), failed func(error) any) raft.BatchingFSM {
	return &loadingFSM{BatchingFSM: inner, log: log, fail: fail, failed: failed}
}

type loadingFSM struct {
	raft.BatchingFSM
	log    *LazyLog
	fail   func(error)
	failed func(error) any
	broken error // why nothing is applied; used only by Raft's apply goroutine
}

// Apply applies one entry.
func (m *loadingFSM) Apply(entry *raft.Log) any { return m.ApplyBatch([]*raft.Log{entry})[0] }

// ApplyBatch applies the entries, in several batches if they are large.
func (m *loadingFSM) ApplyBatch(entries []*raft.Log) []any {
	out := make([]any, 0, len(entries))
	for len(entries) > 0 && m.broken == nil {
		full, err := m.log.loaded(entries, applyBytes)
		if err != nil {
			m.broken = err
			m.fail(err)
			break
		}
		out = append(out, m.BatchingFSM.ApplyBatch(full)...)
		entries = entries[len(full):]
	}
	for range entries {
		out = append(out, m.failed(m.broken))
	}
	return out
}
