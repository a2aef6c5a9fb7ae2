package durable

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/hashicorp/raft-wal/types"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// recoverLog reads the log whole, and makes it what raft-wal can go on from: it
// clears what a crash has torn, and ends a rotation that a crash cut short, which
// raft-wal (seen in 0.4.1) leaves as a segment that takes no entry any more.
func recoverLog(d *disk.FS, m *meta) error {
	state, err := m.Load("")
	if err != nil {
		return err
	}
	for i, info := range state.Segments {
		last := i == len(state.Segments)-1
		found, err := recoverSegment(d, info)
		if last && errors.Is(err, fs.ErrNotExist) {
			return nil // a segment is known before it is there, and holds nothing until then
		}
		if err != nil {
			return err
		}
		if last && info.SealTime.IsZero() && found.indexStart > 0 {
			return m.CommitState(rotated(state, found))
		}
	}
	return nil
}

func recoverSegment(d *disk.FS, info types.SegmentInfo) (found inspected, err error) {
	file, err := d.Open(segmentName(info))
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	content, err := readAll(file)
	if err != nil {
		return found, err
	}
	if found, err = inspect(content, info); err != nil {
		return found, damaged(file.Path(), "%v", err)
	}
	if !info.SealTime.IsZero() {
		whole := !found.torn && found.indexStart == info.IndexStart && info.BaseIndex+found.entries > info.MaxIndex
		if !whole {
			return found, damaged(file.Path(), "it has lost its end")
		}
		return found, nil
	}
	if found.torn {
		if _, err := file.WriteAt(make([]byte, len(content)-found.end), int64(found.end)); err != nil {
			return found, err
		}
		return found, file.Sync()
	}
	return found, nil
}

// rotated is the state in which the last segment is full, and another follows.
func rotated(state types.PersistentState, found inspected) types.PersistentState {
	state.Segments = slices.Clone(state.Segments)
	full := &state.Segments[len(state.Segments)-1]
	full.SealTime = time.Now()
	full.MaxIndex = full.BaseIndex + found.entries - 1
	full.IndexStart = found.indexStart
	next := types.SegmentInfo{
		ID: state.NextSegmentID, BaseIndex: full.MaxIndex + 1, MinIndex: full.MaxIndex + 1,
		Codec: full.Codec, CreateTime: full.SealTime, SizeLimit: full.SizeLimit,
	}
	state.NextSegmentID++
	state.Segments = append(state.Segments, next)
	return state
}
