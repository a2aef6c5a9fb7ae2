package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft-wal/types"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// loaded is a log that was read and verified.
type loaded struct {
	state types.PersistentState
	found []inspected // by segment
	// missing means that the last segment has no file. A segment is registered before its file is
	// created, and is empty until then.
	missing bool
}

// end returns the index of the last entry. Without entries it is the index before the next entry,
// or 0 if there was never one.
func (r loaded) end() uint64 {
	if len(r.found) == 0 {
		return 0
	}
	last := len(r.found) - 1
	return r.state.Segments[last].BaseIndex + r.found[last].entries - 1
}

// empty returns whether the log has no entry.
func (r loaded) empty() bool {
	for _, f := range r.found {
		if f.entries > 0 {
			return false
		}
	}
	return true
}

// readLog reads and verifies the whole log, and changes nothing.
func readLog(d *disk.FS, m *meta) (r loaded, err error) {
	if r.state, err = m.Load(""); err != nil {
		return r, err
	}
	if err := checkSegmentNames(d); err != nil {
		return r, err
	}
	for i, info := range r.state.Segments {
		found, err := readSegment(d, info)
		last := i == len(r.state.Segments)-1
		switch {
		case last && info.SealTime.IsZero() && errors.Is(err, fs.ErrNotExist):
			r.missing = true
		case errors.Is(err, fs.ErrNotExist):
			return r, lost(d.Path(segmentName(info)), "it is missing")
		case err != nil:
			return r, err
		}
		r.found = append(r.found, found)
	}
	return r, nil
}

// checkSegmentNames rejects log files whose name is not a segment's. raft-wal removes files of
// unused segments, and fails with other names.
func checkSegmentNames(d *disk.FS) error {
	names, err := d.List(disk.LogDir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasSuffix(name, disk.LogSuffix) {
			continue
		}
		var info types.SegmentInfo
		_, err := fmt.Sscanf(name, "%d-%x", &info.BaseIndex, &info.ID)
		if file := disk.LogDir + "/" + name; err != nil || segmentName(info) != file {
			return damaged(d.Path(file), "its name is not that of a log segment")
		}
	}
	return nil
}

func readSegment(d *disk.FS, info types.SegmentInfo) (found inspected, err error) {
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
	whole := !found.torn && found.indexStart == info.IndexStart && info.BaseIndex+found.entries > info.MaxIndex
	if !info.SealTime.IsZero() && !whole {
		return found, damaged(file.Path(), "its end is missing")
	}
	return found, nil
}

// check verifies that the log has everything that was promised. A log that was removed
// completely, behind a snapshot that is promised too, may be empty: raft-wal 0.4.1 may then start
// again from entry 1, until the next append.
func (r loaded) check(d *disk.FS, promised promise) error {
	removed := r.empty() && promised.last <= promised.snapshot.index
	if end := r.end(); end < promised.last && (r.missing || !removed) {
		name := disk.LogDir
		if last := len(r.state.Segments); last > 0 {
			name = segmentName(r.state.Segments[last-1])
		}
		if r.missing {
			return lost(d.Path(name), "it is missing, and so are entries %d to %d of the log", end+1, promised.last)
		}
		return lost(d.Path(name), "the log ends at entry %d, but entry %d was durable", end, promised.last)
	}
	return nil
}

// recoverLog prepares the log for raft-wal: it clears torn appends, and completes a rotation that
// a crash interrupted, which raft-wal 0.4.1 leaves as a segment that accepts no entries.
func recoverLog(d *disk.FS, m *meta, r loaded) error {
	last := len(r.found) - 1
	if last < 0 || r.missing || !r.state.Segments[last].SealTime.IsZero() {
		return nil
	}
	if r.found[last].indexStart > 0 {
		return m.CommitState(rotated(r.state, r.found[last]))
	}
	return clearTorn(d, segmentName(r.state.Segments[last]), r.found[last])
}

// clearTorn zeroes a torn append. It also extends a file that ends inside the trailing zeros of
// its last append, which raft-wal would treat as torn.
func clearTorn(d *disk.FS, name string, found inspected) (err error) {
	file, err := d.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	end, size := int64(found.end), file.Size()
	if !found.torn && end <= size {
		return nil
	}
	from := min(end, size)
	if _, err := file.WriteAt(make([]byte, max(end, size)-from), from); err != nil {
		return err
	}
	return file.Sync()
}

// rotated returns the state in which the last segment is sealed and a new one follows.
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
