package raftfix

import "github.com/hashicorp/raft"

// StableWithoutErrors returns a stable store that reports success for a term or a vote that
// could not be stored. LogWithoutErrors does the same for reading. Both require that the store
// below fails the node and cuts it off from all others before it returns an error: then nothing
// that Raft concludes from the success leaves the node.
//
// Fault: Raft panics when it cannot store its term, and when it cannot read a committed entry.
// That ends the process with all its nodes, and without a reason that an operator could read.
func StableWithoutErrors(inner raft.StableStore) raft.StableStore { return stableWithoutErrors{inner} }

type stableWithoutErrors struct{ raft.StableStore }

func (s stableWithoutErrors) Set(key, value []byte) error {
	_ = s.StableStore.Set(key, value)
	return nil
}

func (s stableWithoutErrors) SetUint64(key []byte, value uint64) error {
	_ = s.StableStore.SetUint64(key, value)
	return nil
}

// LogWithoutErrors returns a log that answers for an entry that cannot be read by one without
// content. See StableWithoutErrors.
func LogWithoutErrors(inner raft.LogStore) raft.LogStore { return logWithoutErrors{monotonic{inner}} }

type logWithoutErrors struct{ monotonic }

func (l logWithoutErrors) GetLog(index uint64, entry *raft.Log) error {
	err := l.LogStore.GetLog(index, entry)
	if err == nil || err == raft.ErrLogNotFound {
		return err
	}
	*entry = raft.Log{Index: index, Type: raft.LogNoop}
	return nil
}

// monotonic is a decorated log that has no gaps if the log below has none.
type monotonic struct{ raft.LogStore }

var _ raft.MonotonicLogStore = monotonic{}

// IsMonotonic tells whether the log has no gaps.
func (m monotonic) IsMonotonic() bool {
	log, is := m.LogStore.(raft.MonotonicLogStore)
	return is && log.IsMonotonic()
}
