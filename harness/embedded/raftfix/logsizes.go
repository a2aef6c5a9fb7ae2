package raftfix

import (
	"sort"
	"sync"

	"github.com/hashicorp/raft"
)

// logSizes knows how many bytes of data the entries of the log hold, from some index on:
// from the first that was stored or read in this life.
type logSizes struct {
	mu    sync.Mutex
	first uint64
	sums  []int64 // of the entry at first+i and all known before it
	gone  int64   // of those that were known and are deleted
}

// met notes an entry that Raft reads when it starts: the last, and then all that are not
// in its snapshot, in order.
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

// stored notes entries that were appended.
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

// upToLocked is the sum of the first so many.
func (s *logSizes) upToLocked(count int) int64 {
	if count == 0 {
		return s.gone
	}
	return s.sums[count-1]
}

// deleted notes that entries were removed at the beginning or the end.
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

// between is how many bytes the entries after from and up to to hold, as far as is known.
func (s *logSizes) between(from, to uint64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.upToLocked(s.countLocked(to))-s.upToLocked(s.countLocked(from)), 0)
}

// countLocked is how many entries up to index are known.
func (s *logSizes) countLocked(index uint64) int {
	if len(s.sums) == 0 || index < s.first {
		return 0
	}
	return int(min(index-s.first+1, uint64(len(s.sums))))
}

// last is how many entries at the end of the log hold no more than so many bytes. It is
// all that are asked for where less is known.
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
