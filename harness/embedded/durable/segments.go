package durable

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// segments wraps raft-wal's segments so that they hold records, which are verified whenever an
// entry is read.
type segments struct {
	*segment.Filer
	fs       *disk.FS
	rotation *rotation
}

var _ types.SegmentFiler = (*segments)(nil)

func newSegments(fs *disk.FS, rotation *rotation) *segments {
	return &segments{Filer: segment.NewFiler(disk.LogDir, &sharedFiles{vfs: vfs{fs}}), fs: fs, rotation: rotation}
}

func (s *segments) Create(info types.SegmentInfo) (types.SegmentWriter, error) {
	inner, err := s.Filer.Create(info)
	s.rotation.end(err)
	if err != nil {
		return nil, err
	}
	return s.tail(inner, info), nil
}

func (s *segments) RecoverTail(info types.SegmentInfo) (types.SegmentWriter, error) {
	inner, err := s.Filer.RecoverTail(info)
	if err != nil {
		return nil, err
	}
	return s.tail(inner, info), nil
}

func (s *segments) Open(info types.SegmentInfo) (types.SegmentReader, error) {
	inner, err := s.Filer.Open(info)
	if err != nil {
		return nil, err
	}
	return s.reader(inner, info), nil
}

func (s *segments) reader(inner types.SegmentReader, info types.SegmentInfo) reader {
	return reader{inner, s.fs.Path(segmentName(info))}
}

func segmentName(info types.SegmentInfo) string { return disk.LogDir + "/" + segment.FileName(info) }

// reader reads entries from a segment of records.
type reader struct {
	types.SegmentReader
	file string
}

func (r reader) GetLog(index uint64) (*types.PooledBuffer, error) {
	buffer, err := r.SegmentReader.GetLog(index)
	switch {
	case err == types.ErrNotFound, errors.Is(err, disk.ErrLost):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w (%w)", damaged(r.file, "entry %d cannot be read", index), err)
	}
	entry, whole := decodeRecord(index, buffer.Bs)
	if !whole {
		return nil, errors.Join(damaged(r.file, "entry %d has a wrong checksum", index), buffer.Close())
	}
	buffer.Bs = entry
	return buffer, nil
}
