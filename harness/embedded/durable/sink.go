package durable

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// sink writes a snapshot.
type sink struct {
	snapshots *Snapshots
	file      *disk.File
	temporary string
	key       snapshotKey
	meta      raft.SnapshotMeta

	block  bytes.Buffer
	offset int64 // bytes written
	synced int64 // bytes synced
	ended  bool
	failed error
}

func (s *sink) ID() string { return s.meta.ID }

func (s *sink) Write(p []byte) (written int, err error) {
	for len(p) > 0 && s.failed == nil {
		part := p[:min(len(p), blockSize-s.block.Len())]
		s.block.Write(part)
		p = p[len(part):]
		written += len(part)
		if s.block.Len() == blockSize {
			s.failed = s.flush()
		}
	}
	return written, s.failed
}

// unsynced is the maximum part of a snapshot that is held in memory, in bytes.
const unsynced = 4 << 20

func (s *sink) flush() error {
	if s.block.Len() == 0 {
		return nil
	}
	s.meta.Size += int64(s.block.Len())
	err := s.put(encodeBlock(s.block.Bytes()))
	s.block.Reset()
	if err != nil || s.offset-s.synced < unsynced {
		return err
	}
	s.synced = s.offset
	return s.file.Sync()
}

func (s *sink) put(b []byte) error {
	n, err := s.file.WriteAt(b, s.offset)
	s.offset += int64(n)
	return err
}

// Cancel removes the incomplete snapshot. After Close it does nothing.
func (s *sink) Cancel() error {
	if s.ended {
		return nil
	}
	s.ended = true
	return errors.Join(s.file.Close(), s.snapshots.fs.Remove(s.temporary))
}

// Close completes the snapshot, blocks until it is durable, and removes old ones. After Close or
// Cancel it does nothing.
func (s *sink) Close() error {
	if s.ended {
		return nil
	}
	if err := s.finish(); err != nil {
		return errors.Join(fmt.Errorf("end snapshot: %w", err), s.Cancel())
	}
	s.ended = true
	return s.snapshots.reap()
}

func (s *sink) finish() error {
	if s.failed != nil {
		return s.failed
	}
	if err := s.flush(); err != nil {
		return err
	}
	footer, err := encodeFooter(s.meta)
	if err != nil {
		return err
	}
	if err := s.put(footer); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	if err := s.snapshots.fs.Rename(s.temporary, snapshotName(s.meta.ID)); err != nil {
		return err
	}
	if err := s.file.Close(); err != nil {
		return err
	}
	return s.snapshots.promises.keep(func(p *promise) {
		if p.snapshot.older(s.key) {
			p.snapshot = s.key
		}
	})
}
