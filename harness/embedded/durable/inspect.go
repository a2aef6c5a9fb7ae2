package durable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/hashicorp/raft-wal/types"
)

// The format of a segment is raft-wal's: a header, then frames of a type, a
// length and a payload, each rounded up to 8 bytes. An append is some entries and
// a commit, whose length is a checksum of the append. The last append of a
// segment has an index before its commit: where each entry is.
const (
	segmentHeader = 32 // bytes
	frameHeader   = 8  // bytes
	segmentMagic  = 0x58eb6b0d

	frameEntry  = 1
	frameIndex  = 2
	frameCommit = 3

	largestEntry = 64 << 20 // bytes, raft-wal's limit
)

// inspected is what a sound segment holds.
type inspected struct {
	end        int    // where the last append ends, in bytes; what follows is zero or torn
	torn       bool   // whether an append has begun behind it and not come to its end
	entries    uint64 // how many
	indexStart uint64 // where the index of a full segment is, in bytes; 0 if it is not full
}

// inspect reads a segment. Its error says what cannot be, and that the segment is
// damaged therefore.
//
// raft-wal takes whatever it does not understand for the end of the log. That
// would lose everything behind a flipped byte, which was acknowledged. But appends
// are written in order, to a file of zeros: what a crash has torn is an append of
// which the beginning is right, and behind which there is nothing. A flipped byte
// has something behind it, at least the commit. So:
//
//   - an append without its commit, right as far as it goes, then only zeros: torn;
//   - anything else that is not right: damaged.
//
// What a frame says of itself is checked twice, lest a flipped byte make it look
// like another frame that was torn: lengths are repeated in the record, an index is
// known in advance, and a commit that claims to be something else has a length that
// is the checksum.
//
// Two things cannot be told apart. An append torn within the checksum of its
// commit counts as damaged, and so does one whose pieces a failing disk wrote out
// of order: the node fails and must be replaced, though nothing was lost.
//
// That a file ends short exactly where an append ended, or is one that was torn
// earlier, cannot be seen in the file. The promise tells it: see read.kept.
func inspect(content []byte, info types.SegmentInfo) (inspected, error) {
	s := &scan{info: info, file: content, used: len(bytes.TrimRight(content, "\x00"))}
	return s.run()
}

// scan is a segment being inspected. Behind its end there are zeros without end.
type scan struct {
	info    types.SegmentInfo
	file    []byte
	used    int    // where the zeros begin that go on to the end
	at      int    // where the next frame is
	sum     uint32 // the checksum of the append so far
	offsets []uint32
	sealed  uint64 // where the index is that the append has written
	found   inspected
}

func (s *scan) run() (inspected, error) {
	if s.used == 0 {
		return s.found, nil
	}
	if header := s.header(); !s.begins(0, header) {
		return s.found, fmt.Errorf("its first bytes are not those of segment %d of the log", s.info.ID)
	}
	s.pass(segmentHeader)
	for s.at < s.used {
		if s.found.indexStart > 0 {
			return s.found, fmt.Errorf("byte %d: something follows the end", s.at)
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

// frame reads the next frame. It is not whole if the file is torn there.
func (s *scan) frame() (whole bool, err error) {
	header := s.bytes(s.at, frameHeader)
	kind, length := header[0], binary.LittleEndian.Uint32(header[4:])
	if header[1] != 0 || header[2] != 0 || header[3] != 0 {
		return false, fmt.Errorf("a frame begins with %x", header)
	}
	switch {
	case kind == frameCommit:
		return s.commit(length)
	case kind == frameEntry && s.sealed == 0:
		return s.entry(length)
	case kind == frameIndex && s.sealed == 0:
		return s.index()
	}
	return false, fmt.Errorf("a frame of type %d does not belong here", kind)
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
		return false, fmt.Errorf("entry %d is not what was written, and something follows it", index)
	}
	if length == s.sum && len(s.offsets) > int(s.found.entries) {
		return false, errors.New("a commit claims to be an entry")
	}
	repeated := binary.LittleEndian.AppendUint32(nil, length)
	if !s.begins(start+4, repeated) {
		return false, fmt.Errorf("entry %d has two lengths", index)
	}
	return false, nil
}

// index expects the index frame that the entries make.
func (s *scan) index() (whole bool, err error) {
	frame := []byte{frameIndex, 0, 0, 0}
	frame = binary.LittleEndian.AppendUint32(frame, uint32(4*len(s.offsets)))
	for _, offset := range s.offsets {
		frame = binary.LittleEndian.AppendUint32(frame, offset)
	}
	frame = append(frame, make([]byte, rounded(len(frame))-len(frame))...)
	if !s.begins(s.at, frame) {
		return false, fmt.Errorf("the index is not that of the %d entries before it", len(s.offsets))
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
		return false, errors.New("there is a commit of nothing")
	}
	if sum != s.sum {
		if s.used <= s.at+frameHeader/2 {
			return false, nil // the checksum is missing
		}
		return false, errors.New("the append that ends here is not what was written")
	}
	s.at += frameHeader
	s.sum = 0
	s.found = inspected{end: s.at, entries: uint64(len(s.offsets)), indexStart: s.sealed}
	return true, nil
}

// pass goes on to end, within the append.
func (s *scan) pass(end int) {
	s.sum = crc32.Update(s.sum, castagnoli, s.bytes(s.at, end-s.at))
	s.at = end
}

// bytes are a piece of the file, with zeros where it has ended.
func (s *scan) bytes(start, length int) []byte {
	if start+length <= len(s.file) {
		return s.file[start : start+length]
	}
	piece := make([]byte, length)
	copy(piece, s.file[min(start, len(s.file)):])
	return piece
}

// begins tells whether at that place there is what is expected, or, if the file
// is torn there, the beginning of it.
func (s *scan) begins(start int, expected []byte) bool {
	there := max(min(s.used-start, len(expected)), 0)
	return bytes.Equal(s.bytes(start, there), expected[:there])
}

func rounded(length int) int { return (length + frameHeader - 1) / frameHeader * frameHeader }

func zero(b []byte) bool { return len(bytes.TrimRight(b, "\x00")) == 0 }
