package disk

import (
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"
)

// memory is stable storage in memory.
type memory struct {
	mu    sync.Mutex
	files map[string]*memoryFile
}

func (m *memory) list(dir string) (names []string, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		if path.Dir(name) == dir {
			names = append(names, path.Base(name))
		}
	}
	return names, nil
}

func (m *memory) open(name string) (stableFile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if file := m.files[name]; file != nil {
		return file, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (m *memory) create(name string, _ int64) (stableFile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	file := &memoryFile{}
	m.files[name] = file
	return file, nil
}

func (m *memory) rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	file := m.files[from]
	if file == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	delete(m.files, from)
	m.files[to] = file
	return nil
}

func (m *memory) remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(m.files, name)
	return nil
}

func (m *memory) path(name string) string { return name }

func (m *memory) losePower() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, file := range m.files {
		file.losePower()
	}
}

// memoryFile is a file in memory. It stays usable for its openers after it is removed.
type memoryFile struct {
	mu   sync.RWMutex
	data []byte
	undo []overwritten // writes since the last sync, oldest first
}

// overwritten is the content replaced by an unsynced write.
type overwritten struct {
	offset, written int64 // range of the write
	size            int   // size of the file before the write
	data            []byte
}

func (f *memoryFile) length() (int64, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return int64(len(f.data)), nil
}

func (f *memoryFile) ReadAt(p []byte, off int64) (int, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if off >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memoryFile) WriteAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noteLocked(off, int64(len(p)))
	if grow := int(off) + len(p) - len(f.data); grow > 0 {
		f.data = append(f.data, make([]byte, grow)...)
	}
	return copy(f.data[off:], p), nil
}

// noteLocked records the content that is about to be overwritten, unless all of it was written
// since the last sync.
func (f *memoryFile) noteLocked(offset, length int64) {
	for _, u := range f.undo {
		if u.offset <= offset && offset+length <= u.offset+u.written {
			return
		}
	}
	size := int64(len(f.data))
	old := slices.Clone(f.data[min(offset, size):min(offset+length, size)])
	f.undo = append(f.undo, overwritten{offset, length, len(f.data), old})
}

func (f *memoryFile) truncate(size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.data = f.data[:min(size, int64(len(f.data)))]
	return nil
}

func (f *memoryFile) sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.undo = nil
	return nil
}

// losePower undoes all writes since the last sync.
func (f *memoryFile) losePower() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, u := range slices.Backward(f.undo) {
		copy(f.data[min(u.offset, int64(len(f.data))):], u.data)
		f.data = f.data[:u.size]
	}
	f.undo = nil
}

func (f *memoryFile) Close() error { return nil }
