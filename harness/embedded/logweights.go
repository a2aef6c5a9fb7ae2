package embedded

import (
	"sort"
	"sync"

	"github.com/hashicorp/raft"
)

// logWeights knows how many bytes of data the entries of the log hold, from some index on:
// from the first that was stored or read in this life.
type logWeights struct {
	mu    sync.Mutex
	first uint64
	sums  []int64 // of the entry at first+i and all known before it
	gone  int64   // of those that were known and are deleted
}

// met notes an entry that Raft reads when it starts: the last, and then all that are not
// in its snapshot, in order.
func (w *logWeights) met(index uint64, size int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	end := w.first + uint64(len(w.sums))
	if w.first <= index && index < end {
		return
	}
	if index != end {
		w.first, w.sums, w.gone = 0, nil, 0
	}
	w.addLocked(index, size)
}

// stored notes entries that were appended.
func (w *logWeights) stored(entries []*raft.Log) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, entry := range entries {
		if end := w.first + uint64(len(w.sums)); entry.Index != end {
			w.first, w.sums, w.gone = 0, nil, 0
		}
		w.addLocked(entry.Index, len(entry.Data))
	}
}

func (w *logWeights) addLocked(index uint64, size int) {
	if len(w.sums) == 0 {
		w.first = index
	}
	w.sums = append(w.sums, w.upToLocked(len(w.sums))+int64(size+entryBeside))
}

// upToLocked is the sum of the first so many.
func (w *logWeights) upToLocked(count int) int64 {
	if count == 0 {
		return w.gone
	}
	return w.sums[count-1]
}

// deleted notes that entries were removed at the beginning or the end.
func (w *logWeights) deleted(from, to uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	end := w.first + uint64(len(w.sums))
	switch {
	case len(w.sums) == 0 || to < w.first || from >= end:
	case to+1 >= end:
		w.sums = w.sums[:max(from, w.first)-w.first]
	case from <= w.first:
		count := int(to + 1 - w.first)
		w.gone = w.upToLocked(count)
		w.sums = append([]int64(nil), w.sums[count:]...)
		w.first = to + 1
	}
}

// between is how many bytes the entries after from and up to to hold, as far as is known.
func (w *logWeights) between(from, to uint64) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return max(w.upToLocked(w.countLocked(to))-w.upToLocked(w.countLocked(from)), 0)
}

// countLocked is how many entries up to index are known.
func (w *logWeights) countLocked(index uint64) int {
	if len(w.sums) == 0 || index < w.first {
		return 0
	}
	return int(min(index-w.first+1, uint64(len(w.sums))))
}

// last is how many entries at the end of the log hold no more than so many bytes. It is
// all that are asked for where less is known.
func (w *logWeights) last(asked uint64, bytes int64) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	total := w.upToLocked(len(w.sums))
	if total-w.gone <= bytes {
		return asked
	}
	first := sort.Search(len(w.sums), func(i int) bool { return total-w.sums[i] <= bytes })
	return min(asked, uint64(len(w.sums)-1-first))
}
