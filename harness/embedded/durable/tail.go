package durable

import (
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft-wal/types"
)

// tail is a segment of records that is appended to.
//
// raft-wal 0.4.1 reads a full segment through the writer that filled it, until the segment is
// deleted or the log closed. Each such writer keeps a buffer as large as its largest append: with
// entries of megabytes, that is more memory than everything else. So tail replaces the writer of
// a full segment by a reader on the same open file.
type tail struct {
	segments *segments
	info     types.SegmentInfo
	now      atomic.Pointer[stage] // replaced by Append, read concurrently
}

// stage is the state of a tail: first with a writer, later full.
type stage struct {
	reader
	writer types.SegmentWriter // nil once the segment is full
	full   types.SegmentInfo   // set once the segment is full
}

var _ types.SegmentWriter = (*tail)(nil)

func (s *segments) tail(writer types.SegmentWriter, info types.SegmentInfo) *tail {
	t := &tail{segments: s, info: info}
	t.now.Store(&stage{reader: s.reader(writer, info), writer: writer})
	return t
}

// GetLog returns the entry at index.
func (t *tail) GetLog(index uint64) (*types.PooledBuffer, error) { return t.now.Load().GetLog(index) }

// Append appends entries with one sync. When the segment is full, raft-wal rotates to the next.
func (t *tail) Append(entries []types.LogEntry) error {
	writer := t.now.Load().writer
	if writer == nil {
		return types.ErrSealed
	}
	records := make([]types.LogEntry, len(entries))
	for i, entry := range entries {
		records[i] = types.LogEntry{Index: entry.Index, Data: encodeRecord(entry.Index, entry.Data)}
	}
	if err := writer.Append(records); err != nil {
		return err
	}
	full, indexStart, err := writer.Sealed()
	if full {
		t.retire(writer, indexStart)
		t.segments.rotation.begin()
	}
	return err
}

// retire replaces the writer by a reader. If the file cannot be opened now, the writer stays, and
// later reads return its errors.
func (t *tail) retire(writer types.SegmentWriter, indexStart uint64) {
	full := t.info
	full.IndexStart, full.MaxIndex = indexStart, writer.LastIndex()
	inner, err := t.segments.Filer.Open(full)
	if err != nil {
		return
	}
	t.now.Store(&stage{reader: t.segments.reader(inner, full), full: full})
}

// Sealed returns whether the segment is full, and the offset of its index.
func (t *tail) Sealed() (bool, uint64, error) {
	now := t.now.Load()
	if now.writer == nil {
		return true, now.full.IndexStart, nil
	}
	return now.writer.Sealed()
}

// ForceSeal seals the segment if it is not full.
func (t *tail) ForceSeal() (uint64, error) {
	now := t.now.Load()
	if now.writer == nil {
		return now.full.IndexStart, nil
	}
	return now.writer.ForceSeal()
}

// LastIndex returns the index of the last entry, or 0 if there is none.
func (t *tail) LastIndex() uint64 {
	now := t.now.Load()
	if now.writer == nil {
		return now.full.MaxIndex
	}
	return now.writer.LastIndex()
}

// Close closes the file.
func (t *tail) Close() error { return t.now.Load().Close() }

// sharedFiles is a VFS that gives the file opened for writing to the first reader, instead of
// opening it again.
type sharedFiles struct {
	vfs
	mu    sync.Mutex
	files map[string]types.WritableFile // by name
}

var _ types.VFS = (*sharedFiles)(nil)

func (k *sharedFiles) Create(dir, name string, size uint64) (types.WritableFile, error) {
	file, err := k.vfs.Create(dir, name, size)
	return k.keep(name, file, err)
}

func (k *sharedFiles) OpenWriter(dir, name string) (types.WritableFile, error) {
	file, err := k.vfs.OpenWriter(dir, name)
	return k.keep(name, file, err)
}

func (k *sharedFiles) keep(name string, file types.WritableFile, err error) (types.WritableFile, error) {
	if err != nil {
		return file, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.files == nil {
		k.files = make(map[string]types.WritableFile)
	}
	k.files[name] = file
	return file, nil
}

func (k *sharedFiles) take(name string) types.WritableFile {
	k.mu.Lock()
	defer k.mu.Unlock()
	file := k.files[name]
	delete(k.files, name)
	return file
}

func (k *sharedFiles) OpenReader(dir, name string) (types.ReadableFile, error) {
	if file := k.take(name); file != nil {
		return file, nil
	}
	return k.vfs.OpenReader(dir, name)
}

func (k *sharedFiles) Delete(dir, name string) error {
	k.take(name)
	return k.vfs.Delete(dir, name)
}
