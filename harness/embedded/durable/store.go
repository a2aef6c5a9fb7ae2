package durable

import (
	"errors"
	"fmt"

	"github.com/hashicorp/go-hclog"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// Store is the durable state of a node. Both parts are safe for concurrent use.
type Store struct {
	Log       *Log
	Snapshots *Snapshots
}

// Open opens the log and the snapshots, and verifies the whole log. It returns a *DamageError if
// a file is corrupt, and a *LostError if durable data is missing; nothing was changed then. Later
// errors outside a call are passed to failed. Open blocks on the disk.
func Open(fs *disk.FS, logger hclog.Logger, failed func(error)) (*Store, error) {
	s, err := openParts(fs, logger, failed, segmentSize)
	if err != nil {
		return nil, err
	}
	if err := s.checkContinuity(fs); err != nil {
		return nil, errors.Join(fmt.Errorf("open log and snapshots: %w", err), s.Close())
	}
	return s, nil
}

func openParts(fs *disk.FS, logger hclog.Logger, failed func(error), segmentSize int) (*Store, error) {
	promises, err := openPromises(fs)
	if err != nil {
		return nil, fmt.Errorf("open the promises: %w", err)
	}
	snapshots, err := openSnapshots(fs, promises)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the snapshots: %w", err), promises.close())
	}
	log, err := openLog(fs, promises, logger, failed, segmentSize)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the log: %w", err), promises.close())
	}
	s := &Store{Log: log, Snapshots: snapshots}
	if err := promises.begin(log.meta.version()); err != nil {
		return nil, errors.Join(fmt.Errorf("create the promises: %w", err), s.Close())
	}
	return s, nil
}

// checkContinuity verifies that no entries are missing between the newest snapshot and the log. A
// disk that lied about one of the two can leave such a gap. Raft 1.8.0 would not notice it, and
// would panic when it applies the missing entries.
//
// A log that ends before the snapshot is left by a crash after a snapshot was installed and
// before Raft removed the log. New entries could not be appended to it, so it is removed now.
func (s *Store) checkContinuity(fs *disk.FS) error {
	first, err := s.Log.FirstIndex()
	if err != nil {
		return err
	}
	last, err := s.Log.LastIndex()
	if err != nil {
		return err
	}
	snapshots, err := s.Snapshots.List()
	if err != nil {
		return err
	}
	newest := uint64(0)
	if len(snapshots) > 0 {
		newest = snapshots[0].Index
	}
	switch {
	case first > newest+1:
		return lost(fs.Path(disk.LogDir), "the log begins at index %d, but the newest snapshot ends at %d", first, newest)
	case last > 0 && last < newest:
		return s.Log.DeleteRange(first, last)
	}
	return nil
}

// Close closes the log and the snapshots. Everything stored is already durable.
func (s *Store) Close() error { return s.Log.Close() }
