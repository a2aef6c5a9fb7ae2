package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// image reads a database's files from outside, while it may be open in this or another process.
type image struct {
	database, log *os.File         // log is nil if all of its pages are in the database
	frames        map[uint32]int64 // by page: offset of its newest version in the log, in bytes
}

// The formats: https://sqlite.org/walformat.html
const (
	walHeader   = 32
	frameHeader = 24
	indexHeader = 48 // size of each of the two headers of the log's index
	indexSuffix = "-shm"
)

func openImage(path string) (_ *image, err error) {
	i := &image{frames: make(map[uint32]int64)}
	defer func() {
		if err != nil {
			err = errors.Join(err, i.close())
		}
	}()
	if i.database, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	copied, committed, err := logged(path + indexSuffix)
	if err != nil || copied == committed {
		return i, err
	}
	if i.log, err = os.OpenFile(path+walSuffix, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	var number [4]byte
	for frame := copied; frame < committed; frame++ {
		at := walHeader + int64(frame)*(frameHeader+pageSize)
		if _, err := i.log.ReadAt(number[:], at); err != nil {
			return nil, fmt.Errorf("%s: frame %d of %d: %w", i.log.Name(), frame+1, committed, err)
		}
		i.frames[binary.BigEndian.Uint32(number[:])] = at + frameHeader
	}
	return i, nil
}

// logged reads from the log's index how many frames are committed, and how many of these are
// already copied to the database.
func logged(index string) (copied, committed uint32, err error) {
	for range 100 {
		content, err := os.ReadFile(index)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return 0, 0, nil // the last connection removed the log on close
		case err != nil:
			return 0, 0, err
		case len(content) < 2*indexHeader+4:
			return 0, 0, fmt.Errorf("%s: %d bytes is too short for a WAL index", index, len(content))
		}
		if string(content[:indexHeader]) == string(content[indexHeader:2*indexHeader]) {
			return binary.NativeEndian.Uint32(content[2*indexHeader:]), binary.NativeEndian.Uint32(content[16:]), nil
		}
	}
	return 0, 0, fmt.Errorf("%s: it changes too often to be read", index)
}

// where returns the file and offset of a page's newest version.
func (i *image) where(page uint32) (file *os.File, at int64) {
	if at, ok := i.frames[page]; ok {
		return i.log, at
	}
	return i.database, (int64(page) - 1) * pageSize
}

func (i *image) read(page uint32) ([]byte, error) {
	file, at := i.where(page)
	content := make([]byte, pageSize)
	if _, err := file.ReadAt(content, at); err != nil {
		return nil, fmt.Errorf("%s: page %d: %w", file.Name(), page, err)
	}
	return content, nil
}

func (i *image) close() (err error) {
	for _, file := range []*os.File{i.database, i.log} {
		if file != nil {
			err = errors.Join(err, file.Close())
		}
	}
	return err
}
