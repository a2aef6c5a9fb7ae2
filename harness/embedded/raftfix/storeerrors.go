package raftfix

import "github.com/hashicorp/raft"

// StableWithoutErrors returns a stable store that reports success even if a term or a vote could not
// be stored. LogWithoutErrors does the same for reads. Both require that the store below marks the
// node as failed and disconnects it from all other nodes before it returns an error, so that no
// other node sees a consequence of the false success.
//
// Bug: Raft panics when it cannot store its term, and when it cannot read a committed entry. This
// ends the process with all its nodes, without a reason that an operator could read.
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

// LogWithoutErrors returns a log that returns an empty entry in place of one that cannot be read. See
// StableWithoutErrors.
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

// monotonic makes a decorated log report IsMonotonic of the log below.
type monotonic struct{ raft.LogStore }

var _ raft.MonotonicLogStore = monotonic{}

// IsMonotonic reports whether the log has no gaps.
func (m monotonic) IsMonotonic() bool {
	log, is := m.LogStore.(raft.MonotonicLogStore)
	return is && log.IsMonotonic()
}
