package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// storage is what a node keeps on disk:
//
//	log/        Raft's log, its term and its vote (raft-wal: one sync an append)
//	snapshots/  the newest snapshots, each a SQLite file with its checksum
//	state/      the working copy of the database, rebuilt at every start
//
// One node at a time has the directory; it holds a lock on it.
type storage struct {
	logs      raft.LogStore
	stable    raft.StableStore
	snapshots raft.SnapshotStore
	machine   *machine.Machine

	closers []io.Closer
}

const (
	segmentSize       = 16 << 20 // bytes of log in one file
	cachedEntries     = 1024     // of the log, kept in memory for followers
	retainedSnapshots = 2
)

func openStorage(dir string, options machine.Options, logger hclog.Logger) (_ *storage, err error) {
	s := &storage{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, lock)
	for _, name := range []string{"log", "snapshots", "state"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return nil, err
		}
	}
	log, err := wal.Open(filepath.Join(dir, "log"), wal.WithSegmentSize(segmentSize), wal.WithLogger(logger.Named("log")))
	if err != nil {
		return nil, fmt.Errorf("open log in %s: %w", dir, err)
	}
	s.closers = append(s.closers, log)
	s.stable = log
	if s.logs, err = raft.NewLogCache(cachedEntries, compacted{log}); err != nil {
		return nil, err
	}
	s.snapshots, err = raft.NewFileSnapshotStoreWithLogger(dir, retainedSnapshots, logger.Named("snapshots"))
	if err != nil {
		return nil, fmt.Errorf("open snapshots in %s: %w", dir, err)
	}
	s.machine, err = machine.Open(filepath.Join(dir, "state"), options)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.machine)
	return s, nil
}

func (s *storage) close() error {
	var err error
	for _, c := range slices.Backward(s.closers) {
		err = errors.Join(err, c.Close())
	}
	return err
}
