package raftfix

import (
	"sort"
	"sync"

	"github.com/hashicorp/raft"
)

// logSizes records the sizes of log entries in bytes. The known range starts at the first entry that
// was stored or read since the node started. It is safe for concurrent use.
type logSizes struct {
	mu    sync.Mutex
	first uint64
	sums  []int64 // total size of the known entries up to and including first+i
	gone  int64   // total size of the known entries that were deleted
}

// met records an entry that Raft reads at startup: first the last entry, then all entries after its
// snapshot, in order.
func (s *logSizes) met(index uint64, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.first + uint64(len(s.sums))
	if s.first <= index && index < end {
		return
	}
	if index != end {
		s.first, s.sums, s.gone = 0, nil, 0
	}
	s.addLocked(index, size)
}

// stored records appended entries.
func (s *logSizes) stored(entries []*raft.Log) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, entry := range entries {
		if end := s.first + uint64(len(s.sums)); entry.Index != end {
			s.first, s.sums, s.gone = 0, nil, 0
		}
		s.addLocked(entry.Index, len(entry.Data))
	}
}

func (s *logSizes) addLocked(index uint64, size int) {
	if len(s.sums) == 0 {
		s.first = index
	}
	s.sums = append(s.sums, s.upToLocked(len(s.sums))+int64(size+entryOverhead))
}

// upToLocked returns the total size of the first count known entries and all deleted ones.
func (s *logSizes) upToLocked(count int) int64 {
	if count == 0 {
		return s.gone
	}
	return s.sums[count-1]
}

// deleted records that entries were deleted at the beginning or the end of the log.
func (s *logSizes) deleted(from, to uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.first + uint64(len(s.sums))
	switch {
	case len(s.sums) == 0 || to < s.first || from >= end:
	case to+1 >= end:
		s.sums = s.sums[:max(from, s.first)-s.first]
	case from <= s.first:
		count := int(to + 1 - s.first)
		s.gone = s.upToLocked(count)
		s.sums = append([]int64(nil), s.sums[count:]...)
		s.first = to + 1
	}
}

// between returns the total size of the known entries with an index greater than from and at most to.
func (s *logSizes) between(from, to uint64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.upToLocked(s.countLocked(to))-s.upToLocked(s.countLocked(from)), 0)
}

// countLocked returns how many entries up to index are known.
func (s *logSizes) countLocked(index uint64) int {
	if len(s.sums) == 0 || index < s.first {
		return 0
	}
	return int(min(index-s.first+1, uint64(len(s.sums))))
}

// last returns how many entries at the end of the log fit into so many bytes, at most asked. If all
// known entries fit, it returns asked.
func (s *logSizes) last(asked uint64, bytes int64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := s.upToLocked(len(s.sums))
	if total-s.gone <= bytes {
		return asked
	}
	first := sort.Search(len(s.sums), func(i int) bool { return total-s.sums[i] <= bytes })
	return min(asked, uint64(len(s.sums)-1-first))
}
