package durable

import (
	"io"
	"path"

	"github.com/hashicorp/raft-wal/types"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// vfs adapts a disk to raft-wal.
type vfs struct{ fs *disk.FS }

var _ types.VFS = vfs{}

func (v vfs) ListDir(dir string) ([]string, error) { return v.fs.List(dir) }

func (v vfs) Create(dir, name string, size uint64) (types.WritableFile, error) {
	return v.fs.Create(path.Join(dir, name), int64(size))
}

func (v vfs) Delete(dir, name string) error { return v.fs.Remove(path.Join(dir, name)) }

func (v vfs) OpenReader(dir, name string) (types.ReadableFile, error) {
	return v.fs.Open(path.Join(dir, name))
}

func (v vfs) OpenWriter(dir, name string) (types.WritableFile, error) {
	return v.fs.Open(path.Join(dir, name))
}

// readAll returns the content of a file.
func readAll(file *disk.File) ([]byte, error) {
	content := make([]byte, file.Size())
	if _, err := file.ReadAt(content, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return content, nil
}
