package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// Where the parts of a node are, and how their files' names end. The last file by
// name is the newest.
const (
	LogDir       = "log"
	LogSuffix    = ".wal"
	SnapshotDir  = "snapshots"
	SnapshotFile = ".snapshot"
	// PromiseFile says how much of the other two there must be.
	PromiseFile = "promises"
)

type place struct {
	part      Part
	dir, file string
}

var places = [...]place{{Log, LogDir, LogSuffix}, {Snapshot, SnapshotDir, SnapshotFile}}

// Damage flips one byte of what is safe of a part, whether or not a node has the
// disk, and returns which file that was: a byte in the middle of what the newest
// file holds, of the log in the entry there. The database is not on this disk; see FlipByte. It is an
// error if the part does not hold anything yet.
//
// Of LogEnd, LogFile and LogFolder it is not a byte: they are lost, in files that are
// sound, or gone. That is for a disk that no node has.
func (d *Disk) Damage(part Part) (file string, err error) {
	switch part {
	case LogEnd, LogFile, LogFolder:
		return d.lose(part)
	case Everything:
		return d.stable.path("."), d.Wipe()
	}
	for _, p := range places {
		if p.part == part {
			return d.damage(p)
		}
	}
	if err := part.Validate(); err != nil {
		return "", err
	}
	return "", fmt.Errorf("the %s is not on this disk", part)
}

func (d *Disk) damage(p place) (string, error) {
	names, err := d.stable.list(p.dir)
	if err != nil {
		return "", err
	}
	for _, name := range slices.Backward(names) {
		if !strings.HasSuffix(name, p.file) {
			continue
		}
		name = path.Join(p.dir, name)
		flipped, err := d.damageFile(name)
		if flipped || err != nil {
			return d.stable.path(name), err
		}
	}
	return "", fmt.Errorf("the %s cannot be damaged: there is none in %s", p.part, d.stable.path(p.dir))
}

// damageFile tells whether there was anything to damage.
func (d *Disk) damageFile(name string) (flipped bool, err error) {
	file, err := d.stable.open(name)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.length()
	if err != nil {
		return false, err
	}
	used, err := usedOf(file, size)
	if used == 0 || err != nil {
		return false, err
	}
	at := used / 2
	if strings.HasSuffix(name, LogSuffix) {
		content := make([]byte, used)
		if _, err := file.ReadAt(content, 0); err != nil && err != io.EOF {
			return false, err
		}
		at = entryAt(content, at)
	}
	return true, flip(file, at)
}

// entryAt is the middle of the entry that begins next before a place in a segment
// of raft-wal's: a header of 32 bytes, then frames of a type, a length in their last
// half and a content, each rounded up to 8 bytes. Other frames are not read again
// while the node runs, and would not be missed. It is the place itself if there is
// no entry.
func entryAt(segment []byte, place int64) int64 {
	found := place
	for at := int64(segmentHeader); at <= place && at+frameHeader <= int64(len(segment)); {
		next, kind := frameAt(segment, at)
		if kind == entryFrame {
			length := int64(binary.LittleEndian.Uint32(segment[at+frameHeader/2:]))
			found = min(at+frameHeader+length/2, int64(len(segment))-1)
		}
		at = next
	}
	return found
}

const (
	segmentHeader = 32 // bytes
	frameHeader   = 8  // bytes
	entryFrame    = 1
	commitFrame   = 3
)

// frameAt is the kind of the frame at a place, and where the next begins. The frame's
// header must be there.
func frameAt(segment []byte, at int64) (next int64, kind byte) {
	length := int64(binary.LittleEndian.Uint32(segment[at+frameHeader/2:]))
	kind = segment[at]
	if kind == commitFrame {
		length = 0 // it has a checksum there
	}
	return at + frameHeader + (length+frameHeader-1)/frameHeader*frameHeader, kind
}

// usedOf is where the zeros begin that go on to the end of the file.
func usedOf(file io.ReaderAt, size int64) (int64, error) {
	const atOnce = 1 << 20 // bytes
	buffer := make([]byte, min(size, atOnce))
	for end := size; end > 0; {
		start := max(end-atOnce, 0)
		part := buffer[:end-start]
		if _, err := file.ReadAt(part, start); err != nil && err != io.EOF {
			return 0, err
		}
		for i, b := range slices.Backward(part) {
			if b != 0 {
				return start + int64(i) + 1, nil
			}
		}
		end = start
	}
	return 0, nil
}

type readWriterAt interface {
	io.ReaderAt
	io.WriterAt
}

func flip(file readWriterAt, offset int64) error {
	var b [1]byte
	if n, err := file.ReadAt(b[:], offset); n == 0 {
		return err
	}
	b[0] = ^b[0]
	_, err := file.WriteAt(b[:], offset)
	return err
}

// FlipByte flips all bits of the byte at offset in a real file.
func FlipByte(path string, offset int64) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := flip(file, offset); err != nil {
		err = fmt.Errorf("flip byte %d of %s: %w", offset, path, err)
		return errors.Join(err, file.Close())
	}
	return file.Close()
}
