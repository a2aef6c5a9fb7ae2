package durable

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// ReadSealed returns the content stored by the last WriteSealed. It returns an error that wraps
// fs.ErrNotExist if the file does not exist, and a *DamageError if its content is corrupt. It
// blocks on the disk.
func ReadSealed(d *disk.FS, name string) (content []byte, err error) {
	file, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	stored, err := readAll(file)
	if err != nil {
		return nil, err
	}
	if len(stored) < 4 || crc32.Checksum(stored[4:], castagnoli) != binary.LittleEndian.Uint32(stored) {
		return nil, damaged(file.Path(), "wrong checksum")
	}
	return stored[4:], nil
}

// WriteSealed stores a small file with a checksum. The file is replaced atomically: after a crash
// it holds either the new content or the old one. temporary is a file name in the same directory,
// which is written first. WriteSealed blocks until the content is durable. It must not be called
// concurrently for one name.
func WriteSealed(d *disk.FS, name, temporary string, content []byte) error {
	sealed := binary.LittleEndian.AppendUint32(nil, crc32.Checksum(content, castagnoli))
	return replace(d, name, temporary, append(sealed, content...))
}
