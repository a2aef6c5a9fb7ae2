package disk

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"
	"syscall"
)

// FS is an open disk. Names are slash-separated, with at most one directory. Errors have type
// *fs.PathError and contain the file name. It is safe for concurrent use. Calls that store data
// block as long as the disk takes, and fail with ErrLost when the disk is taken away.
type FS struct {
	disk  *Disk
	lost  chan struct{} // closed when the node loses or closes the disk
	once  sync.Once
	calls sync.WaitGroup // calls in progress

	// order is a mutex for changes of names and write-back: it is locked while it holds a value.
	// A sync.Mutex would stop virtual time.
	order chan struct{}
	dirs  map[string]map[string]*inode // as the node sees them; guarded by order

	mu    sync.Mutex
	ended bool
	torn  bool
	open  map[*inode]struct{} // inodes with an open stable file
	held  []change            // changes that a lying disk did not store, oldest first
}

func newFS(d *Disk) *FS {
	return &FS{
		disk: d, lost: make(chan struct{}), order: make(chan struct{}, 1),
		dirs: make(map[string]map[string]*inode), open: make(map[*inode]struct{}),
	}
}

// Close closes the disk. Unsynced data is lost. Changes held by a lying disk are stored now, as
// they would be in time.
func (f *FS) Close() error { return f.end(f.writeBack) }

// end fails all calls, waits for them, calls last and closes the files.
func (f *FS) end(last func() error) (err error) {
	f.once.Do(func() {
		f.mu.Lock()
		f.ended = true
		f.mu.Unlock()
		close(f.lost)
		f.calls.Wait()
		err = last()
		for n := range f.open {
			if closeErr := n.file.Close(); err == nil {
				err = closeErr
			}
		}
		f.disk.mu.Lock()
		f.disk.opened = nil
		f.disk.mu.Unlock()
	})
	return err
}

// begin registers a call. After a nil error the caller must call f.calls.Done.
func (f *FS) begin(op string, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return f.failure(op, name, ErrLost)
	}
	f.calls.Add(1)
	return nil
}

func (f *FS) failure(op, name string, cause error) error {
	return &fs.PathError{Op: op, Path: f.Path(name), Err: cause}
}

// store returns why nothing can be stored now, or nil. After a torn sync it blocks until the disk
// is lost.
func (f *FS) store(op, name string, room bool) error {
	f.mu.Lock()
	torn := f.torn
	f.mu.Unlock()
	faults := f.disk.Faults()
	switch {
	case torn:
		<-f.lost
		return f.failure(op, name, ErrLost)
	case faults.Failing:
		return f.failure(op, name, syscall.EIO)
	case faults.Full && room:
		return f.failure(op, name, syscall.ENOSPC)
	}
	return nil
}

// Path returns a file's name for errors, with the directory for real files.
func (f *FS) Path(name string) string { return f.disk.stable.path(name) }

// lock locks a channel mutex by sending a value. It returns false if the disk was lost meanwhile.
// The caller unlocks by receiving.
func (f *FS) lock(mutex chan struct{}) bool {
	select {
	case mutex <- struct{}{}:
		return true
	case <-f.lost:
		return false
	}
}

// names returns the files of a directory. The caller must hold order.
func (f *FS) names(dir string) (map[string]*inode, error) {
	if known := f.dirs[dir]; known != nil {
		return known, nil
	}
	listed, err := f.disk.stable.list(dir)
	if err != nil {
		return nil, err
	}
	names := make(map[string]*inode, len(listed))
	for _, name := range listed {
		names[name] = newInode(path.Join(dir, name))
	}
	f.dirs[dir] = names
	return names, nil
}

// List returns the names of the files in a directory, sorted. A missing directory has no files.
func (f *FS) List(dir string) ([]string, error) {
	var list []string
	err := f.inOrder("list", dir, func() error {
		names, err := f.names(dir)
		list = slices.Sorted(maps.Keys(names))
		return err
	})
	return list, err
}

// Open opens an existing file for reading and writing.
func (f *FS) Open(name string) (file *File, err error) {
	err = f.inOrder("open", name, func() error {
		names, err := f.names(path.Dir(name))
		if err != nil {
			return err
		}
		n := names[path.Base(name)]
		if n == nil {
			return f.failure("open", name, fs.ErrNotExist)
		}
		file, err = f.use(n)
		return err
	})
	return file, err
}

// inOrder calls do with order locked.
func (f *FS) inOrder(op, name string, do func() error) error {
	if err := f.begin(op, name); err != nil {
		return err
	}
	defer f.calls.Done()
	if !f.lock(f.order) {
		return f.failure(op, name, ErrLost)
	}
	defer func() { <-f.order }()
	return do()
}

// Create creates an empty file, and its directory if necessary. size is the expected size in
// bytes; the space may be reserved. 0 means unknown.
func (f *FS) Create(name string, size int64) (file *File, err error) {
	n := newInode(name)
	err = f.changeNames("create", name, true, func(names map[string]*inode) error {
		if names[path.Base(name)] != nil {
			return f.failure("create", name, fs.ErrExist)
		}
		if err := f.persist(creation{n, name, size}); err != nil {
			return err
		}
		names[path.Base(name)] = n
		file, err = f.use(n)
		return err
	})
	return file, err
}

// Rename renames a file within its directory, and replaces an existing file of the new name.
func (f *FS) Rename(from, to string) error {
	return f.changeNames("rename", from, false, func(names map[string]*inode) error {
		n := names[path.Base(from)]
		if n == nil {
			return f.failure("rename", from, fs.ErrNotExist)
		}
		if err := f.persist(renaming{n, from, to}); err != nil {
			return err
		}
		delete(names, path.Base(from))
		names[path.Base(to)] = n
		n.rename(to)
		return nil
	})
}

// Remove removes a file. Open handles stay usable.
func (f *FS) Remove(name string) error {
	return f.changeNames("remove", name, false, func(names map[string]*inode) error {
		if names[path.Base(name)] == nil {
			return f.failure("remove", name, fs.ErrNotExist)
		}
		if err := f.persist(removal{name}); err != nil {
			return err
		}
		delete(names, path.Base(name))
		return nil
	})
}

func (f *FS) changeNames(op, name string, room bool, do func(names map[string]*inode) error) error {
	return f.inOrder(op, name, func() error {
		if err := f.store(op, name, room); err != nil {
			return err
		}
		names, err := f.names(path.Dir(name))
		if err != nil {
			return err
		}
		return do(names)
	})
}
