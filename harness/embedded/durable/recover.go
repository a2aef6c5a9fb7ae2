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

// read is a log that was read whole.
type read struct {
	state types.PersistentState
	found []inspected // one for each segment
	// missing tells whether the last segment has no file. A segment is known before it
	// is there, and holds nothing until then.
	missing bool
}

// end is the index of the last entry; if there is none, that after which the next
// will come; 0 if there was never one.
func (r read) end() uint64 {
	if len(r.found) == 0 {
		return 0
	}
	last := len(r.found) - 1
	return r.state.Segments[last].BaseIndex + r.found[last].entries - 1
}

// empty tells whether the log has no entry.
func (r read) empty() bool {
	for _, f := range r.found {
		if f.entries > 0 {
			return false
		}
	}
	return true
}

// readLog reads the log whole, and changes nothing.
func readLog(d *disk.FS, m *meta) (r read, err error) {
	if r.state, err = m.Load(""); err != nil {
		return r, err
	}
	if err := expectSegments(d); err != nil {
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

// expectSegments expects no file among the segments whose name is not a segment's. One
// that only is not needed any more, raft-wal removes; it does not start with this.
func expectSegments(d *disk.FS) error {
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
			return damaged(d.Path(file), "it is no segment of a log, by its name")
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
		return found, damaged(file.Path(), "it has lost its end")
	}
	return found, nil
}

// kept expects that the log has all that was promised of it. Of a log that was removed
// whole, behind a snapshot that is promised as well, nothing need be there: raft-wal
// (seen in 0.4.1) may begin again from entry 1 then, until the next append.
func (r read) kept(d *disk.FS, promised promise) error {
	removed := r.empty() && promised.last <= promised.snapshot.index
	if end := r.end(); end < promised.last && (r.missing || !removed) {
		name := disk.LogDir
		if last := len(r.state.Segments); last > 0 {
			name = segmentName(r.state.Segments[last-1])
		}
		if r.missing {
			return lost(d.Path(name), "it is missing, and so are entries %d to %d of the log", end+1, promised.last)
		}
		return lost(d.Path(name), "the log ends at entry %d, and entry %d was safe", end, promised.last)
	}
	return nil
}

// recoverLog makes the log what raft-wal can go on from: it clears what a crash has
// torn, and ends a rotation that a crash cut short, which raft-wal (seen in 0.4.1)
// leaves as a segment that takes no entry any more.
func recoverLog(d *disk.FS, m *meta, r read) error {
	last := len(r.found) - 1
	if last < 0 || r.missing || !r.state.Segments[last].SealTime.IsZero() {
		return nil
	}
	if r.found[last].indexStart > 0 {
		return m.CommitState(rotated(r.state, r.found[last]))
	}
	return tidy(d, segmentName(r.state.Segments[last]), r.found[last])
}

// tidy makes zeros of what is torn. And it completes a file that ends too early, by
// zeros that its last append ends with: raft-wal would take that append for torn.
func tidy(d *disk.FS, name string, found inspected) (err error) {
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
