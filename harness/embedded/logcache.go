package embedded

import (
	"sync"

	"github.com/hashicorp/raft"
)

// The newest entries of the log are kept in memory for followers and for the state machine, within
// both limits.
const (
	cachedEntries = 1024
	cachedBytes   = 16 << 20
)

// logCache is a log whose newest entries are read from memory. It contains only entries that the
// store accepted.
type logCache struct {
	raft.LogStore

	mu     sync.Mutex // guards the fields below; not held during calls of the store
	first  uint64     // the index of recent[0]
	recent []*raft.Log
	bytes  int // of Data in recent
}

// newLogCache returns a cache of the log.
func newLogCache(log raft.LogStore) *logCache { return &logCache{LogStore: log} }

var _ raft.MonotonicLogStore = (*logCache)(nil)

// IsMonotonic returns whether the log allows no gaps.
func (c *logCache) IsMonotonic() bool {
	log, is := c.LogStore.(raft.MonotonicLogStore)
	return is && log.IsMonotonic()
}

// GetLog reads an entry, from memory if possible.
func (c *logCache) GetLog(index uint64, entry *raft.Log) error {
	if cached := c.cached(index); cached != nil {
		*entry = *cached
		return nil
	}
	return c.LogStore.GetLog(index, entry)
}

func (c *logCache) cached(index uint64) *raft.Log {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := index - c.first; at < uint64(len(c.recent)) { // an index below first is far beyond the end
		return c.recent[at]
	}
	return nil
}

// StoreLog stores one entry.
func (c *logCache) StoreLog(entry *raft.Log) error { return c.StoreLogs([]*raft.Log{entry}) }

// StoreLogs stores entries and caches the newest.
func (c *logCache) StoreLogs(entries []*raft.Log) error {
	if err := c.LogStore.StoreLogs(entries); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, entry := range entries {
		c.keepLocked(entry)
	}
	return nil
}

func (c *logCache) keepLocked(entry *raft.Log) {
	if entry.Index != c.first+uint64(len(c.recent)) {
		c.forgetLocked()
		c.first = entry.Index
	}
	c.recent = append(c.recent, entry)
	c.bytes += len(entry.Data)
	excess := 0
	for len(c.recent)-excess > cachedEntries || c.bytes > cachedBytes {
		c.bytes -= len(c.recent[excess].Data)
		c.recent[excess] = nil // so that the array behind the slice does not keep it alive
		excess++
	}
	c.recent = c.recent[excess:]
	c.first += uint64(excess)
}

func (c *logCache) forgetLocked() {
	c.first, c.recent, c.bytes = 0, nil, 0
}

// DeleteRange removes entries at the beginning or the end of the log, and clears the cache.
func (c *logCache) DeleteRange(from, to uint64) error {
	c.mu.Lock()
	c.forgetLocked()
	c.mu.Unlock()
	return c.LogStore.DeleteRange(from, to)
}
