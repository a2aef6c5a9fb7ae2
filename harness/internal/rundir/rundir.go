// Package rundir makes the temporary directory of a run. A run that is killed cannot remove its directory, so
// the next run does.
//
// Each directory holds an owner file, on which the run holds a lock (flock) until it exits. A directory without
// an owner file, or with a locked one, is never touched.
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
)

const (
	// Prefix begins the name of every directory.
	Prefix = "rejoin-"
	// owner is the name of the owner file.
	owner = ".rejoin-owner"
	// magic begins the content of the owner file.
	magic = "rejoin: the temporary directory of a run; it may be removed when no process locks this file\n"
)

// Dir is the temporary directory of this process. Its methods are not safe for concurrent use.
type Dir struct {
	path string
	lock *os.File
}

// New makes a directory in parent; if parent is empty, in [os.TempDir]. Its name begins with Prefix and kind.
// First it removes the directories that killed runs left in parent; errors of that are ignored.
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

// own creates the owner file. The file gets its final name after it is locked, so no sweep sees it unlocked.
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
	if err := lock(file); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(file, "%spid %d, %s\n", magic, os.Getpid(), os.Args[0]); err != nil {
		return nil, err
	}
	return file, os.Rename(file.Name(), filepath.Join(dir, owner))
}

// Path returns the path of the directory.
func (d *Dir) Path() string { return d.path }

// Remove removes the directory with its content, and then releases the lock.
func (d *Dir) Remove() error { return errors.Join(remove(d.path), d.lock.Close()) }

// remove removes the owner file last, so that a sweep finds a directory that was removed only in part.
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

// Sweep removes the directories in parent that killed runs left. It joins the errors of those that it could not
// remove.
func Sweep(parent string) error {
	found, err := filepath.Glob(filepath.Join(escaped(parent), Prefix+"*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range found {
		if err := sweepOne(dir); err != nil {
			errs = append(errs, fmt.Errorf("remove %s, left by a killed run: %w", dir, err))
		}
	}
	return errors.Join(errs...)
}

// escaped returns the pattern that makes Glob match exactly this path.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// sweepOne removes the directory if its run is dead. It leaves alone what it cannot read and symbolic links.
func sweepOne(dir string) error {
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return nil //nolint:nilerr // it is gone, or not a directory
	}
	file, err := openOwner(filepath.Join(dir, owner))
	if err != nil {
		return nil //nolint:nilerr // it is not a run's directory
	}
	defer func() { _ = file.Close() }()
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(file, head); err != nil || !bytes.Equal(head, []byte(magic)) {
		return nil //nolint:nilerr // it is not a run's directory
	}
	if lock(file) != nil {
		return nil // its run is alive
	}
	return remove(dir)
}
