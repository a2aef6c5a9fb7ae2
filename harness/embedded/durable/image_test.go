package durable

import (
	"errors"
	"maps"
	"path"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// image is the durable content of a disk: every file by its name.
type image map[string][]byte

func imageOf(d *disk.Disk) (image, error) {
	fs, err := d.Open()
	if err != nil {
		return nil, err
	}
	files := image{}
	for _, dir := range []string{".", disk.LogDir, disk.SnapshotDir} {
		names, err := fs.List(dir)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			file, err := fs.Open(path.Join(dir, name))
			if err != nil {
				return nil, err
			}
			if files[path.Join(dir, name)], err = readAll(file); err != nil {
				return nil, err
			}
		}
	}
	return files, fs.Close()
}

func (i image) disk() (*disk.Disk, error) {
	d := disk.Memory()
	fs, err := d.Open()
	if err != nil {
		return nil, err
	}
	for name, content := range i {
		file, err := fs.Create(name, 0)
		if err != nil {
			return nil, err
		}
		if _, err := file.WriteAt(content, 0); err != nil {
			return nil, err
		}
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			return nil, err
		}
	}
	return d, fs.Close()
}

// with returns the image with different content of one file, or without the file if content is
// nil.
func (i image) with(name string, content []byte) image {
	changed := maps.Clone(i)
	changed[name] = content
	if content == nil {
		delete(changed, name)
	}
	return changed
}

func (i image) without(gone func(name string) bool) image {
	changed := maps.Clone(i)
	maps.DeleteFunc(changed, func(name string, _ []byte) bool { return gone(name) })
	return changed
}
