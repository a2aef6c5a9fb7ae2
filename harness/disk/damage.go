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

	"github.com/rejoin-db/rejoin/harness/fault"
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

// place is where the byte of a part is: in the newest file of that name's end, or of the
// whole name, in that directory.
type place struct {
	part      fault.Part
	dir, file string
	byte      func(content []byte) int64 // of what the file holds; in its middle if nil
	bit       bool                       // one bit of it alone, so that text stays text
}

var places = [...]place{
	{part: fault.Log, dir: LogDir, file: LogSuffix, byte: func(segment []byte) int64 { return entryAt(segment, int64(len(segment))/2) }},
	{part: fault.LogFirst, dir: LogDir, file: LogSuffix, byte: func(segment []byte) int64 { return entryAt(segment, segmentHeader) }},
	{part: fault.LogLast, dir: LogDir, file: LogSuffix, byte: func(segment []byte) int64 { return entryAt(segment, int64(len(segment))) }},
	{part: fault.LogMeta, dir: LogDir, file: "meta", bit: true, byte: digitIn},
	{part: fault.Snapshot, dir: SnapshotDir, file: SnapshotFile},
	{part: fault.SnapshotFirst, dir: SnapshotDir, file: SnapshotFile, byte: func([]byte) int64 { return snapshotSum }},
	{part: fault.SnapshotLast, dir: SnapshotDir, file: SnapshotFile, byte: func(content []byte) int64 { return footerAt(content) - 1 }},
	{part: fault.SnapshotLabel, dir: SnapshotDir, file: SnapshotFile, bit: true, byte: func(content []byte) int64 {
		return footerAt(content) + digitIn(content[footerAt(content):])
	}},
	{part: fault.Owner, dir: IdentityDir, file: "owner", bit: true, byte: digitIn},
	{part: fault.OwnerFirst, dir: IdentityDir, file: "owner", byte: func([]byte) int64 { return 0 }},
	{part: fault.OwnerLast, dir: IdentityDir, file: "owner", byte: func(content []byte) int64 { return int64(len(content)) - 1 }},
}

// digitIn is the last digit that stands alone as a number in JSON, or the middle: with a
// bit flipped it is another number.
func digitIn(text []byte) int64 {
	for i := len(text) - 2; i > 0; i-- {
		if digit := text[i] >= '0' && text[i] <= '9'; digit && (text[i+1] == ',' || text[i+1] == '}') && text[i-1] == ':' {
			return int64(i)
		}
	}
	return int64(len(text)) / 2
}

// A snapshot's file is blocks behind sums, and what it is: JSON, its length, and a sum.
const (
	snapshotSum = 4 // bytes
	labelEnd    = 8 // bytes behind the JSON
)

// footerAt is where the JSON begins that says what a snapshot is.
func footerAt(content []byte) int64 {
	if len(content) < labelEnd {
		return 1
	}
	end := len(content) - labelEnd
	return max(int64(end)-int64(binary.LittleEndian.Uint32(content[end:])), 1)
}

// Damage flips one byte of what is safe of a part, whether or not a node has the
// disk, and returns which file that was: of the newest file, of the log in an entry. Unless
// the part says where, it is in the middle of what the file holds. The database is not on
// this disk; see FlipByte. Damaged once more, at the same content, the part is whole again.
// It is an error if the part does not hold anything yet.
//
// Of LogEnd, LogFile and LogFolder it is not a byte: they are lost, in files that are
// sound, or gone. That is for a disk that no node has.
func (d *Disk) Damage(part fault.Part) (file string, err error) {
	switch part {
	case fault.LogEnd, fault.LogFile, fault.LogFolder:
		return d.lose(part)
	case fault.Everything:
		return d.stable.path("."), d.Wipe()
	case fault.Promises:
		return d.stable.path(PromiseFile), d.damagePromises()
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
		flipped, err := d.damageFile(name, p)
		if flipped || err != nil {
			return d.stable.path(name), err
		}
	}
	return "", fmt.Errorf("the %s cannot be damaged: there is none in %s", p.part, d.stable.path(p.dir))
}

// damageFile tells whether there was anything to damage.
func (d *Disk) damageFile(name string, p place) (flipped bool, err error) {
	content, err := d.used(name)
	if len(content) == 0 || err != nil {
		return false, err
	}
	at := int64(len(content)) / 2
	if p.byte != nil {
		at = p.byte(content)
	}
	file, err := d.stable.open(name)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if p.bit {
		return true, alter(file, at, func(b byte) byte { return b ^ 1 })
	}
	return true, flip(file, at)
}

// damagePromises flips a byte of each promise in the file: one that is damaged alone passes
// for one that was torn.
func (d *Disk) damagePromises() (err error) {
	const slot = 512 // bytes
	content, err := d.used(PromiseFile)
	if err != nil {
		return err
	}
	file, err := d.stable.open(PromiseFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for at := 0; at < len(content); at += slot {
		if err := flip(file, int64(at)+8); err != nil {
			return err
		}
	}
	return nil
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
	return alter(file, offset, func(b byte) byte { return ^b })
}

func alter(file readWriterAt, offset int64, to func(byte) byte) error {
	var b [1]byte
	if n, err := file.ReadAt(b[:], offset); n == 0 {
		return err
	}
	b[0] = to(b[0])
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
