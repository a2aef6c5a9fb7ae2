package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// files is stable storage in real files below a directory.
type files struct{ dir string }

func (f files) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

func (f files) list(dir string) (names []string, _ error) {
	entries, err := os.ReadDir(f.path(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

func (f files) open(name string) (stableFile, error) {
	file, err := os.OpenFile(f.path(name), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &realFile{File: file}, nil
}

func (f files) create(name string, size int64) (_ stableFile, err error) {
	path := f.path(name)
	if err := makeDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if size > 0 {
		if err := allocate(file, size); err != nil {
			return nil, errors.Join(&fs.PathError{Op: "allocate", Path: path, Err: err}, file.Close(), os.Remove(path))
		}
	}
	if strings.HasPrefix(filepath.Base(path), ".") {
		return &realFile{File: file}, nil
	}
	return &realFile{File: file, dir: filepath.Dir(path)}, nil
}

func (f files) rename(from, to string) error {
	if err := os.Rename(f.path(from), f.path(to)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path(to)))
}

func (f files) remove(name string) error {
	if err := os.Remove(f.path(name)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path(name)))
}

// realFile is an open file. The first sync of a new file also syncs its directory; before that,
// no content was confirmed. A file whose name begins with a dot is temporary: it becomes durable
// by being renamed.
type realFile struct {
	*os.File
	dir string // directory to be synced, or ""
}

func (f *realFile) length() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f *realFile) truncate(size int64) error { return f.Truncate(size) }

func (f *realFile) sync() error {
	if err := f.Sync(); err != nil {
		return err
	}
	if f.dir == "" {
		return nil
	}
	err := syncDir(f.dir)
	if err == nil {
		f.dir = ""
	}
	return err
}

// makeDir creates a directory, but not its parents.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
