package fusefs

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// names is the journal of changes of names that are not durable yet.
type names struct {
	disk *Disk

	// mu is held while a name is changed, so that the journal has the order of the changes.
	mu      sync.Mutex
	changes []change
	removed map[uint64]int // number of a file's names that were put aside
}

// maxChanges is how many changes of names are kept back. Beyond it they become durable by themselves,
// as every few seconds in ext4.
const maxChanges = 1 << 16

// change is a change of names.
type change struct {
	undo func() error
	done func() error // called when the change is durable; or nil
}

// keep makes all changes durable.
func (n *names) keep() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.keepLocked()
}

func (n *names) keepLocked() error {
	var errs []error
	for _, c := range n.changes {
		if c.done != nil {
			errs = append(errs, c.done())
		}
	}
	n.changes, n.removed = nil, nil
	return errors.Join(errs...)
}

// takeBack undoes all changes that are not durable, the latest first.
func (n *names) takeBack() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs []error
	for _, c := range slices.Backward(n.changes) {
		errs = append(errs, c.undo())
	}
	n.changes, n.removed = nil, nil
	return errors.Join(errs...)
}

// change makes a change of names, and notes how to undo it.
func (n *names) change(do func() (change, error)) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	c, err := do()
	if err != nil {
		return err
	}
	n.changes = append(n.changes, c)
	if len(n.changes) >= maxChanges {
		return n.keepLocked()
	}
	return nil
}

// create calls do, which creates path.
func (n *names) create(path string, do func() error) error {
	return n.change(func() (change, error) {
		return change{undo: func() error { return os.Remove(path) }}, do()
	})
}

// remove removes a name. The file stays aside until that is durable.
func (n *names) remove(path string, dir bool) error {
	return n.change(func() (change, error) {
		stat, err := removable(path, dir)
		if err != nil {
			return change{}, err
		}
		other := n.disk.aside.name()
		if err := unix.Rename(path, other); err != nil {
			return change{}, err
		}
		n.removedLocked(stat, 1)
		return change{
			undo: func() error { return rename(other, path) },
			done: func() error { return os.RemoveAll(other) },
		}, nil
	})
}

// removable returns the state of what a name stands for, if it can be removed.
func removable(path string, dir bool) (stat unix.Stat_t, err error) {
	if err := unix.Lstat(path, &stat); err != nil {
		return stat, err
	}
	isDir := stat.Mode&unix.S_IFMT == unix.S_IFDIR
	switch {
	case dir && !isDir:
		return stat, syscall.ENOTDIR
	case !dir && isDir:
		return stat, syscall.EISDIR
	case !isDir:
		return stat, nil
	}
	entries, err := os.ReadDir(path)
	if err == nil && len(entries) > 0 {
		err = syscall.ENOTEMPTY
	}
	return stat, err
}

func (n *names) removedLocked(stat unix.Stat_t, by int) {
	if n.removed == nil {
		n.removed = make(map[uint64]int)
	}
	n.removed[stat.Ino] += by
}

// links returns how many of a file's links are only kept aside.
func (n *names) links(ino uint64) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.removed[ino]
}

// rename renames as renameat2(2) does.
func (n *names) rename(from, to string, flags uint32) error {
	switch flags {
	case 0:
		return n.change(func() (change, error) { return n.replaceLocked(from, to) })
	case unix.RENAME_NOREPLACE:
		return n.change(func() (change, error) {
			return change{undo: func() error { return rename(to, from) }}, rename2(from, to, flags)
		})
	case unix.RENAME_EXCHANGE:
		return n.change(func() (change, error) {
			return change{undo: func() error { return rename2(from, to, flags) }}, rename2(from, to, flags)
		})
	}
	return syscall.EINVAL
}

// replaceLocked renames a file. The one that had the new name stays aside until that is durable.
func (n *names) replaceLocked(from, to string) (change, error) {
	back := change{undo: func() error { return rename(to, from) }}
	var source unix.Stat_t
	if err := unix.Lstat(from, &source); err != nil {
		return back, err
	}
	dir := source.Mode&unix.S_IFMT == unix.S_IFDIR
	target, err := removable(to, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return back, unix.Rename(from, to)
	}
	if err != nil {
		return back, err
	}
	if source.Ino == target.Ino {
		return change{undo: func() error { return nil }}, nil // two links to a file: nothing happens
	}
	other := n.disk.aside.name()
	aside := unix.Link // so that the name always exists
	if dir {
		aside = unix.Rename
	}
	if err := aside(to, other); err != nil {
		return back, err
	}
	if err := unix.Rename(from, to); err != nil {
		if dir {
			err = errors.Join(err, unix.Rename(other, to))
		} else {
			err = errors.Join(err, unix.Unlink(other))
		}
		return back, err
	}
	n.removedLocked(target, 1)
	return change{
		undo: func() error { return errors.Join(rename(to, from), rename(other, to)) },
		done: func() error { return os.RemoveAll(other) },
	}, nil
}

func rename(from, to string) error { return rename2(from, to, 0) }

func rename2(from, to string, flags uint32) error {
	if err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, uint(flags)); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
