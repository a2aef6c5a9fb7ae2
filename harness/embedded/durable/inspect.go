package durable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/hashicorp/raft-wal/types"
)

// The format of a segment is raft-wal's: a header, then frames with a type, a length and a
// payload, each rounded up to 8 bytes. An append is some entries and a commit, whose length field
// is a checksum of the append. The last append of a segment has an index frame before its commit,
// with the offset of each entry.
const (
	segmentHeader = 32 // bytes
	frameHeader   = 8  // bytes
	segmentMagic  = 0x58eb6b0d

	frameEntry  = 1
	frameIndex  = 2
	frameCommit = 3

	largestEntry = 64 << 20 // bytes, raft-wal's limit
)

// inspected is the result of inspecting a valid segment.
type inspected struct {
	end        int    // end of the last complete append, in bytes; the rest is zero or torn
	torn       bool   // whether an incomplete append follows
	entries    uint64 // number of entries
	indexStart uint64 // offset of the index of a full segment, in bytes; 0 if it is not full
}

// inspect verifies a segment. An error means that the segment is damaged.
//
// raft-wal treats anything that it cannot parse as the end of the log. After a flipped byte that
// would lose all later entries, which were acknowledged. But appends are written in order, to a
// file of zeros: a crash leaves at most one incomplete append, of which a prefix is valid,
// followed by zeros. A flipped byte is followed by other data, at least by the commit. So:
//
//   - an append without its commit, valid as far as it goes, then only zeros: torn;
//   - any other mismatch: damaged.
//
// The fields of a frame are verified twice, so that a flipped byte cannot make a frame look like
// a different frame that was torn: lengths are repeated in the record, an index frame is computed
// from the entries, and a commit whose type has changed still has a length that equals the
// checksum.
//
// Two cases count as damage although nothing was lost, and the node fails and must be replaced:
// an append torn inside the checksum of its commit, and an append whose parts a failing disk
// wrote out of order.
//
// A file that ends exactly at the end of an append, or one that was torn earlier, looks complete.
// The promise detects that: see loaded.check.
func inspect(content []byte, info types.SegmentInfo) (inspected, error) {
	s := &scan{info: info, file: content, used: len(bytes.TrimRight(content, "\x00"))}
	return s.run()
}

// scan is the state of an inspection. The file counts as followed by infinite zeros.
type scan struct {
	info    types.SegmentInfo
	file    []byte
	used    int    // start of the zeros at the end
	at      int    // offset of the next frame
	sum     uint32 // checksum of the append so far
	offsets []uint32
	sealed  uint64 // offset of the index in the current append, or 0
	found   inspected
}

func (s *scan) run() (inspected, error) {
	if s.used == 0 {
		return s.found, nil
	}
	if header := s.header(); !s.begins(0, header) {
		return s.found, fmt.Errorf("its header is not that of segment %d of the log", s.info.ID)
	}
	s.pass(segmentHeader)
	for s.at < s.used {
		if s.found.indexStart > 0 {
			return s.found, fmt.Errorf("byte %d: data after the end of the segment", s.at)
		}
		whole, err := s.frame()
		if err != nil {
			return s.found, fmt.Errorf("byte %d: %w", s.at, err)
		}
		if !whole {
			break
		}
	}
	s.found.torn = s.used > s.found.end
	return s.found, nil
}

func (s *scan) header() []byte {
	header := make([]byte, segmentHeader)
	binary.LittleEndian.PutUint64(header, segmentMagic)
	binary.LittleEndian.PutUint64(header[8:], s.info.BaseIndex)
	binary.LittleEndian.PutUint64(header[16:], s.info.ID)
	binary.LittleEndian.PutUint64(header[24:], s.info.Codec)
	return header
}

// frame verifies the next frame. It returns false if the file is torn there.
func (s *scan) frame() (whole bool, err error) {
	header := s.bytes(s.at, frameHeader)
	kind, length := header[0], binary.LittleEndian.Uint32(header[4:])
	if header[1] != 0 || header[2] != 0 || header[3] != 0 {
		return false, fmt.Errorf("invalid frame header %x", header)
	}
	switch {
	case kind == frameCommit:
		return s.commit(length)
	case kind == frameEntry && s.sealed == 0:
		return s.entry(length)
	case kind == frameIndex && s.sealed == 0:
		return s.index()
	}
	return false, fmt.Errorf("unexpected frame of type %d", kind)
}

func (s *scan) entry(length uint32) (whole bool, err error) {
	index := s.info.BaseIndex + uint64(len(s.offsets))
	if length > largestEntry || length < recordHeader && s.used >= s.at+frameHeader {
		return false, fmt.Errorf("entry %d has %d bytes", index, length)
	}
	start := s.at + frameHeader
	end := start + rounded(int(length))
	if end <= len(s.file) {
		_, right := decodeRecord(index, s.file[start:start+int(length)])
		if right && zero(s.file[start+int(length):end]) {
			s.offsets = append(s.offsets, uint32(s.at))
			s.pass(end)
			return true, nil
		}
	}
	if s.used > end {
		return false, fmt.Errorf("entry %d has a wrong checksum and is followed by data", index)
	}
	if length == s.sum && len(s.offsets) > int(s.found.entries) {
		return false, errors.New("a commit has the type of an entry")
	}
	repeated := binary.LittleEndian.AppendUint32(nil, length)
	if !s.begins(start+4, repeated) {
		return false, fmt.Errorf("entry %d has contradicting lengths", index)
	}
	return false, nil
}

// index verifies the index frame, which the entries determine.
func (s *scan) index() (whole bool, err error) {
	frame := []byte{frameIndex, 0, 0, 0}
	frame = binary.LittleEndian.AppendUint32(frame, uint32(4*len(s.offsets)))
	for _, offset := range s.offsets {
		frame = binary.LittleEndian.AppendUint32(frame, offset)
	}
	frame = append(frame, make([]byte, rounded(len(frame))-len(frame))...)
	if !s.begins(s.at, frame) {
		return false, fmt.Errorf("the index does not match the %d entries before it", len(s.offsets))
	}
	if s.used <= s.at+len(frame) {
		return false, nil // the commit is missing
	}
	s.sealed = uint64(s.at + frameHeader)
	s.pass(s.at + len(frame))
	return true, nil
}

func (s *scan) commit(sum uint32) (whole bool, err error) {
	if uint64(len(s.offsets)) == s.found.entries && s.sealed == 0 {
		return false, errors.New("empty commit")
	}
	if sum != s.sum {
		if s.used <= s.at+frameHeader/2 {
			return false, nil // the checksum is missing
		}
		return false, errors.New("the append that ends here has a wrong checksum")
	}
	s.at += frameHeader
	s.sum = 0
	s.found = inspected{end: s.at, entries: uint64(len(s.offsets)), indexStart: s.sealed}
	return true, nil
}

// pass advances to end, within the append.
func (s *scan) pass(end int) {
	s.sum = crc32.Update(s.sum, castagnoli, s.bytes(s.at, end-s.at))
	s.at = end
}

// bytes returns a part of the file, with zeros after its end.
func (s *scan) bytes(start, length int) []byte {
	if start+length <= len(s.file) {
		return s.file[start : start+length]
	}
	piece := make([]byte, length)
	copy(piece, s.file[min(start, len(s.file)):])
	return piece
}

// begins returns whether the expected bytes are at start, or a prefix of them if the file is torn
// there.
func (s *scan) begins(start int, expected []byte) bool {
	there := max(min(s.used-start, len(expected)), 0)
	return bytes.Equal(s.bytes(start, there), expected[:there])
}

func rounded(length int) int { return (length + frameHeader - 1) / frameHeader * frameHeader }

func zero(b []byte) bool { return len(bytes.TrimRight(b, "\x00")) == 0 }
