// Package rundir makes the temporary directory of a run. A run that is killed cannot
// remove it: the next run does, which finds that the owner of the directory is gone.
//
// Each directory holds a file that says what it is, and the run holds a lock (flock)
// on that file for as long as it lives. A directory without such a file, or with one that
// is locked, is never touched.
package rundir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	// Prefix begins the name of every directory.
	Prefix = "rejoin-"
	// owner is the file in a directory that says whose it is.
	owner = ".rejoin-owner"
	// magic is what that file begins with.
	magic = "rejoin: the temporary directory of a run; it may be removed when no process locks this file\n"
)

// Dir is a directory that goes with this process at the latest.
type Dir struct {
	path string
	lock *os.File
}

// New makes a directory in parent, or in the system's place for temporary files if parent
// is empty. Its name begins with Prefix and kind. Before, it removes what runs that were
// killed have left in parent; what cannot be removed is not an error of this run.
func New(parent, kind string) (_ *Dir, err error) {
	if parent == "" {
		parent = os.TempDir()
	}
	_ = Sweep(parent)
	d := &Dir{}
	if d.path, err = os.MkdirTemp(parent, Prefix+kind); err != nil {
		return nil, err
	}
	if d.lock, err = own(d.path); err != nil {
		return nil, errors.Join(fmt.Errorf("own the directory %s: %w", d.path, err), os.RemoveAll(d.path))
	}
	return d, nil
}

// own puts the owner's file into the directory. The file gets its name when it is locked:
// no sweep sees it before.
func own(dir string) (_ *os.File, err error) {
	file, err := os.OpenFile(filepath.Join(dir, owner+".new"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(file, "%spid %d, %s\n", magic, os.Getpid(), os.Args[0]); err != nil {
		return nil, err
	}
	return file, os.Rename(file.Name(), filepath.Join(dir, owner))
}

// Path is where the directory is.
func (d *Dir) Path() string { return d.path }

// Remove removes the directory with all that is in it, and then lets go of it.
func (d *Dir) Remove() error { return errors.Join(remove(d.path), d.lock.Close()) }

// remove removes the owner's file last, so that what is left of a removal that breaks off
// is found again.
func remove(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var errs []error
	for _, entry := range entries {
		if entry.Name() != owner {
			errs = append(errs, os.RemoveAll(filepath.Join(dir, entry.Name())))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// Sweep removes the directories in parent whose runs were killed. The errors of those
// that could not be removed are joined.
func Sweep(parent string) error {
	found, err := filepath.Glob(filepath.Join(escaped(parent), Prefix+"*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range found {
		if err := sweepOne(dir); err != nil {
			errs = append(errs, fmt.Errorf("remove %s, which a run has left that was killed: %w", dir, err))
		}
	}
	return errors.Join(errs...)
}

// escaped is a path that Glob takes as it is.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// sweepOne removes the directory if it is a dead run's. What cannot be read, or is no
// directory of its own but a link to one, is somebody else's.
func sweepOne(dir string) error {
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return nil //nolint:nilerr // it is gone, or none of ours
	}
	file, err := os.OpenFile(filepath.Join(dir, owner), os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil //nolint:nilerr // it is none of ours
	}
	defer func() { _ = file.Close() }()
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(file, head); err != nil || !bytes.Equal(head, []byte(magic)) {
		return nil //nolint:nilerr // it is none of ours
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil //nolint:nilerr // its run lives
	}
	return remove(dir)
}
