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

// Directories of a node's parts and suffixes of their files. The last file by name is the newest.
const (
	LogDir       = "log"
	LogSuffix    = ".wal"
	SnapshotDir  = "snapshots"
	SnapshotFile = ".snapshot"
	// PromiseFile records how much of the log and the snapshots must be present.
	PromiseFile = "promises"
)

// place is the position of a part's byte: in the newest file of dir whose name ends with file.
type place struct {
	part      fault.Part
	dir, file string
	byte      func(content []byte) int64 // offset in the content; the middle if nil
	bit       bool                       // flip one bit only, so that text remains text
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

// digitIn returns the position of the last single-digit number in JSON, or the middle. With a
// flipped bit it is a different number.
func digitIn(text []byte) int64 {
	for i := len(text) - 2; i > 0; i-- {
		if digit := text[i] >= '0' && text[i] <= '9'; digit && (text[i+1] == ',' || text[i+1] == '}') && text[i-1] == ':' {
			return int64(i)
		}
	}
	return int64(len(text)) / 2
}

// A snapshot file consists of blocks with checksums and a footer: JSON, its length, and a
// checksum.
const (
	snapshotSum = 4 // bytes
	labelEnd    = 8 // bytes after the JSON
)

// footerAt returns the position of the footer's JSON.
func footerAt(content []byte) int64 {
	if len(content) < labelEnd {
		return 1
	}
	end := len(content) - labelEnd
	return max(int64(end)-int64(binary.LittleEndian.Uint32(content[end:])), 1)
}

// Damage flips one byte of the durable content of a part, whether or not a node has the disk
// open, and returns the affected file. It uses the newest file of the part; in the log, a byte of
// an entry. Unless the part specifies a position, the byte is in the middle of the content. The
// database is not on this disk; see FlipByte. A second call with the same content restores it.
// Damage returns an error if the part has no content yet.
//
// For LogEnd, LogFile and LogFolder, Damage removes data instead: the remaining files are intact
// or missing. The disk must not be open then.
func (d *Disk) Damage(part fault.Part) (file string, err error) {
	switch part {
	case fault.LogEnd, fault.LogFile, fault.LogFolder:
		return d.lose(part)
	case fault.Everything:
		return d.stable.path("."), d.Wipe()
	case fault.Promises:
		return d.stable.path(PromiseFile), d.damagePromises()
	default:
		return d.damagePlace(part)
	}
}

// damagePlace flips a byte of a part that has a place in the log, the snapshots or the identity.
func (d *Disk) damagePlace(part fault.Part) (file string, err error) {
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
	return "", fmt.Errorf("damage the %s: there is none in %s", p.part, d.stable.path(p.dir))
}

// damageFile returns whether there was content to damage.
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

// damagePromises flips a byte of every promise in the file: a single damaged one would look like
// a torn write.
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

// entryAt returns the middle of the last entry that begins at or before place in a raft-wal
// segment, or place itself if there is none. A segment has a header of 32 bytes, followed by
// frames of a type, a length in the second half of their header, and a content, each rounded up
// to 8 bytes. Other frames are not read while the node runs, so damage there would not be
// detected.
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

// frameAt returns the kind of the frame at a position, and the position of the next one. The
// frame's header must be complete.
func frameAt(segment []byte, at int64) (next int64, kind byte) {
	length := int64(binary.LittleEndian.Uint32(segment[at+frameHeader/2:]))
	kind = segment[at]
	if kind == commitFrame {
		length = 0 // the field is a checksum
	}
	return at + frameHeader + (length+frameHeader-1)/frameHeader*frameHeader, kind
}

// usedOf returns the length of the file without the zeros at its end.
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
