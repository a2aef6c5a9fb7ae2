package disk

import (
	"fmt"
	"slices"

	"github.com/hashicorp/raft"
)

// log are entries without a gap. An entry that is stored is never changed.
type log struct {
	first   uint64 // index of entries[0]
	entries []raft.Log
}

func (l *log) last() uint64 {
	if len(l.entries) == 0 {
		return 0
	}
	return l.first + uint64(len(l.entries)) - 1
}

func (l *log) store(added []*raft.Log) error {
	for _, entry := range added {
		if len(l.entries) == 0 {
			l.first = entry.Index
		} else if entry.Index != l.last()+1 {
			return fmt.Errorf("store log entry %d after %d: there would be a gap", entry.Index, l.last())
		}
		l.entries = append(l.entries, *entry)
	}
	return nil
}

// remove takes entries away at one end, or all.
func (l *log) remove(from, to uint64) error {
	from, to = max(from, l.first), min(to, l.last())
	switch {
	case len(l.entries) == 0 || from > to:
	case from == l.first:
		// Cloned, so that what is gone is not kept in memory.
		l.entries = slices.Clone(l.entries[to-l.first+1:])
		l.first = to + 1
	case to == l.last():
		l.entries = slices.Delete(l.entries, int(from-l.first), len(l.entries))
	default:
		return fmt.Errorf("remove log entries %d to %d of %d to %d: there would be a gap", from, to, l.first, l.last())
	}
	return nil
}

type logStore struct{ *handle }

var _ raft.MonotonicLogStore = logStore{}
var _ raft.LogStore = logStore{}

// IsMonotonic says that there are no gaps.
func (logStore) IsMonotonic() bool { return true }

func (s logStore) FirstIndex() (index uint64, err error) {
	err = s.read(func(d *Disk) error {
		if len(d.log.entries) > 0 {
			index = d.log.first
		}
		return nil
	})
	return index, err
}

func (s logStore) LastIndex() (index uint64, err error) {
	err = s.read(func(d *Disk) error { index = d.log.last(); return nil })
	return index, err
}

func (s logStore) GetLog(index uint64, entry *raft.Log) error {
	return s.read(func(d *Disk) error {
		if len(d.log.entries) == 0 || index < d.log.first || index > d.log.last() {
			return raft.ErrLogNotFound
		}
		*entry = d.log.entries[index-d.log.first]
		return nil
	})
}

func (s logStore) StoreLog(entry *raft.Log) error { return s.StoreLogs([]*raft.Log{entry}) }

func (s logStore) StoreLogs(entries []*raft.Log) error {
	return s.write(func(d *Disk) error { return d.log.store(entries) })
}

func (s logStore) DeleteRange(from, to uint64) error {
	return s.write(func(d *Disk) error { return d.log.remove(from, to) })
}
