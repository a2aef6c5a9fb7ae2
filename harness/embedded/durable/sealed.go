package durable

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// ReadSealed returns what WriteSealed stored last. It returns an error that wraps
// fs.ErrNotExist if there is no such file, and a *DamageError if the content is not what was
// stored. It blocks on the disk.
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
		return nil, damaged(file.Path(), "its checksum is another")
	}
	return stored[4:], nil
}

// WriteSealed stores a small file with a checksum. The file is replaced as a whole: after a
// crash it holds this content or the one before. By the temporary name, in the same
// directory, it is written first. WriteSealed blocks until the content is safe; it is for
// one caller at a time.
func WriteSealed(d *disk.FS, name, temporary string, content []byte) error {
	sealed := binary.LittleEndian.AppendUint32(nil, crc32.Checksum(content, castagnoli))
	return replace(d, name, temporary, append(sealed, content...))
}
