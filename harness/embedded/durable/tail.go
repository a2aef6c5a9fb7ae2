package durable

import (
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft-wal/types"
)

// tail is a segment of records to be appended to.
//
// raft-wal (seen in 0.4.1) reads a segment that is full through the writer that filled
// it, until the segment is deleted or the log closed, and each such writer holds on to a
// buffer as large as the largest append: with entries of megabytes, more memory than all
// else. So a full segment goes on with a reader, on the file that the writer had.
type tail struct {
	segments *segments
	info     types.SegmentInfo
	now      atomic.Pointer[stage] // replaced by who appends, read at any time
}

// stage is what a tail is: first it has a writer, later it is full.
type stage struct {
	reader
	writer types.SegmentWriter // nil once the segment is full
	full   types.SegmentInfo   // what is known of it then
}

var _ types.SegmentWriter = (*tail)(nil)

func (s *segments) tail(writer types.SegmentWriter, info types.SegmentInfo) *tail {
	t := &tail{segments: s, info: info}
	t.now.Store(&stage{reader: s.reader(writer, info), writer: writer})
	return t
}

// GetLog returns the entry of that index.
func (t *tail) GetLog(index uint64) (*types.PooledBuffer, error) { return t.now.Load().GetLog(index) }

// Append is one sync. When the segment is full, raft-wal goes on with the next.
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

// retire goes on without the writer. If the file cannot be read now, a later reader
// is told so, by the writer.
func (t *tail) retire(writer types.SegmentWriter, indexStart uint64) {
	full := t.info
	full.IndexStart, full.MaxIndex = indexStart, writer.LastIndex()
	inner, err := t.segments.Filer.Open(full)
	if err != nil {
		return
	}
	t.now.Store(&stage{reader: t.segments.reader(inner, full), full: full})
}

// Sealed tells whether the segment is full, and where in its file its index is.
func (t *tail) Sealed() (bool, uint64, error) {
	now := t.now.Load()
	if now.writer == nil {
		return true, now.full.IndexStart, nil
	}
	return now.writer.Sealed()
}

// ForceSeal makes the segment full, if it is not.
func (t *tail) ForceSeal() (uint64, error) {
	now := t.now.Load()
	if now.writer == nil {
		return now.full.IndexStart, nil
	}
	return now.writer.ForceSeal()
}

// LastIndex is the index of the last entry; 0 if there is none.
func (t *tail) LastIndex() uint64 {
	now := t.now.Load()
	if now.writer == nil {
		return now.full.MaxIndex
	}
	return now.writer.LastIndex()
}

// Close closes the file.
func (t *tail) Close() error { return t.now.Load().Close() }

// keptFiles is a disk whose files, once they were opened to be written, are not opened again
// to be read: who reads gets the file that was opened.
type keptFiles struct {
	vfs
	mu    sync.Mutex
	files map[string]types.WritableFile // by name
}

var _ types.VFS = (*keptFiles)(nil)

func (k *keptFiles) Create(dir, name string, size uint64) (types.WritableFile, error) {
	file, err := k.vfs.Create(dir, name, size)
	return k.keep(name, file, err)
}

func (k *keptFiles) OpenWriter(dir, name string) (types.WritableFile, error) {
	file, err := k.vfs.OpenWriter(dir, name)
	return k.keep(name, file, err)
}

func (k *keptFiles) keep(name string, file types.WritableFile, err error) (types.WritableFile, error) {
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

func (k *keptFiles) take(name string) types.WritableFile {
	k.mu.Lock()
	defer k.mu.Unlock()
	file := k.files[name]
	delete(k.files, name)
	return file
}

func (k *keptFiles) OpenReader(dir, name string) (types.ReadableFile, error) {
	if file := k.take(name); file != nil {
		return file, nil
	}
	return k.vfs.OpenReader(dir, name)
}

func (k *keptFiles) Delete(dir, name string) error {
	k.take(name)
	return k.vfs.Delete(dir, name)
}
