package durable

import (
	"errors"
	"io/fs"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// replace replaces the content of a file atomically, and blocks until it is durable.
func replace(d *disk.FS, name, temporary string, content []byte) error {
	file, err := fresh(d, temporary)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(content, 0)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return d.Rename(temporary, name)
}

// fresh creates a file, and replaces a leftover of a crash.
func fresh(d *disk.FS, name string) (*disk.File, error) {
	file, err := d.Create(name, 0)
	if !errors.Is(err, fs.ErrExist) {
		return file, err
	}
	if err := d.Remove(name); err != nil {
		return nil, err
	}
	return d.Create(name, 0)
}
