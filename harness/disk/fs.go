package disk

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"
	"syscall"
)

// FS is a disk in the hands of one node. Names are slash-separated, one directory
// deep. Its errors are of type *fs.PathError and name the file. It is safe for
// concurrent use; calls that store block as long as the disk takes, and end with
// ErrLost when it is taken away.
type FS struct {
	disk  *Disk
	lost  chan struct{} // closed when the disk is the node's no longer
	once  sync.Once
	calls sync.WaitGroup // calls under way

	// order is held, by a value in it, by who changes names or writes back. A
	// mutex would stop the time of a bubble.
	order chan struct{}
	dirs  map[string]map[string]*inode // what the node sees; whoever has the order

	mu    sync.Mutex
	ended bool
	torn  bool
	open  map[*inode]struct{} // those with an open file
	held  []change            // what the disk lied about, in order; grows and shrinks in order
}

func newFS(d *Disk) *FS {
	return &FS{
		disk: d, lost: make(chan struct{}), order: make(chan struct{}, 1),
		dirs: make(map[string]map[string]*inode), open: make(map[*inode]struct{}),
	}
}

// Close gives the disk back. What was written and not synced is lost; what a
// lying disk said to be safe gets there now, as it would in time.
func (f *FS) Close() error { return f.end(f.writeBack) }

// end ends all calls, and what they wait for.
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

// begin counts a call in. Without an error, f.calls.Done must follow.
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

// store returns why nothing can be stored now, or nil. After a torn sync nothing
// is stored: it blocks.
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

// Path is how a file is named in errors: with the directory of a disk of real
// files.
func (f *FS) Path(name string) string { return f.disk.stable.path(name) }

// take takes hold of something by putting a value into it; release takes it out.
func (f *FS) take(hold chan struct{}) bool {
	select {
	case hold <- struct{}{}:
		return true
	case <-f.lost:
		return false
	}
}

// names are the files of a directory. The order is held.
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

// List names the files in a directory, in order; none if there is no such
// directory.
func (f *FS) List(dir string) ([]string, error) {
	var list []string
	err := f.inOrder("list", dir, func() error {
		names, err := f.names(dir)
		list = slices.Sorted(maps.Keys(names))
		return err
	})
	return list, err
}

// Open opens a file to read and write.
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

// inOrder calls do while nobody else changes names.
func (f *FS) inOrder(op, name string, do func() error) error {
	if err := f.begin(op, name); err != nil {
		return err
	}
	defer f.calls.Done()
	if !f.take(f.order) {
		return f.failure(op, name, ErrLost)
	}
	defer func() { <-f.order }()
	return do()
}

// Create makes an empty file, and its directory if need be. A size above 0 is how
// large it will become, in bytes: the room may be taken at once.
func (f *FS) Create(name string, size int64) (file *File, err error) {
	n := newInode(name)
	err = f.changeNames("create", name, true, func(names map[string]*inode) error {
		if names[path.Base(name)] != nil {
			return f.failure("create", name, fs.ErrExist)
		}
		if err := f.settle(creation{n, name, size}); err != nil {
			return err
		}
		names[path.Base(name)] = n
		file, err = f.use(n)
		return err
	})
	return file, err
}

// Rename gives a file another name in its directory, and takes the name away from
// the file that had it.
func (f *FS) Rename(from, to string) error {
	return f.changeNames("rename", from, false, func(names map[string]*inode) error {
		n := names[path.Base(from)]
		if n == nil {
			return f.failure("rename", from, fs.ErrNotExist)
		}
		if err := f.settle(renaming{n, from, to}); err != nil {
			return err
		}
		delete(names, path.Base(from))
		names[path.Base(to)] = n
		n.rename(to)
		return nil
	})
}

// Remove removes a file. Who has it open keeps it.
func (f *FS) Remove(name string) error {
	return f.changeNames("remove", name, false, func(names map[string]*inode) error {
		if names[path.Base(name)] == nil {
			return f.failure("remove", name, fs.ErrNotExist)
		}
		if err := f.settle(removal{name}); err != nil {
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
