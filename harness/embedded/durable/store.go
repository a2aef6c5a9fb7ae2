package durable

import (
	"errors"
	"fmt"

	"github.com/hashicorp/go-hclog"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// Store is all that outlives a node.
type Store struct {
	Log       *Log
	Snapshots *Snapshots
}

// Open opens the log and the snapshots, and reads the log whole. It returns a
// *DamageError if a file is not what it was, and a *LostError if less is there than
// was safe; then nothing was changed. What fails later and in no call of its own
// goes to failed.
func Open(fs *disk.FS, logger hclog.Logger, failed func(error)) (*Store, error) {
	s, err := openParts(fs, logger, failed, segmentSize)
	if err != nil {
		return nil, err
	}
	if err := s.join(fs); err != nil {
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
		return nil, errors.Join(fmt.Errorf("begin the promises: %w", err), s.Close())
	}
	return s, nil
}

// join expects that nothing is missing between the newest snapshot and the log. A
// disk that lied about one of the two can leave that behind; Raft (1.8.0) would not
// notice, and panic when it came to apply what is missing.
//
// A log that ends before the snapshot is what a crash leaves of a node that was sent
// one: Raft had yet to remove the log. Entries behind the snapshot could not be
// appended to it, so it is removed now.
func (s *Store) join(fs *disk.FS) error {
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
		return lost(fs.Path(disk.LogDir), "the log begins at index %d, and the newest snapshot ends at %d", first, newest)
	case last > 0 && last < newest:
		return s.Log.DeleteRange(first, last)
	}
	return nil
}

// Close closes all of it. Everything that was stored is safe already.
func (s *Store) Close() error { return s.Log.Close() }
