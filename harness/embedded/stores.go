package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
)

// Stores are what outlives a node: all of it must be on disk, or wherever it is
// to last, when a call that stores returns.
type Stores struct {
	Log       raft.LogStore
	Stable    raft.StableStore // Raft's term and vote
	Snapshots raft.SnapshotStore
	Closer    io.Closer // of all three; nil if there is nothing to close
}

// Close closes the stores.
func (s Stores) Close() error {
	if s.Closer == nil {
		return nil
	}
	return s.Closer.Close()
}

const (
	segmentSize       = 16 << 20 // bytes of log in one file
	cachedEntries     = 1024     // of the log, kept in memory for followers
	retainedSnapshots = 2
)

// openFiles opens the stores that are files in dir.
func openFiles(dir string, logger hclog.Logger) (_ Stores, err error) {
	for _, name := range []string{"log", "snapshots"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return Stores{}, err
		}
	}
	log, err := wal.Open(filepath.Join(dir, "log"), wal.WithSegmentSize(segmentSize), wal.WithLogger(logger.Named("log")))
	if err != nil {
		return Stores{}, fmt.Errorf("open log in %s: %w", dir, err)
	}
	s := Stores{Stable: log, Closer: log}
	if s.Log, err = raft.NewLogCache(cachedEntries, compacted{log}); err != nil {
		return Stores{}, errors.Join(err, log.Close())
	}
	s.Snapshots, err = raft.NewFileSnapshotStoreWithLogger(dir, retainedSnapshots, logger.Named("snapshots"))
	if err != nil {
		return Stores{}, errors.Join(fmt.Errorf("open snapshots in %s: %w", dir, err), log.Close())
	}
	return s, nil
}
