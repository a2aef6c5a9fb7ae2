package durable

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"io"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// A snapshot file consists of the content in blocks, each preceded by its checksum, and a footer:
// the metadata as JSON, its length, and a checksum of both.
const (
	blockSize  = 64 << 10 // bytes of content in each block except the last
	blockSum   = 4        // size of the checksum before a block
	footerSize = 8        // size of length and checksum after the JSON
)

func encodeBlock(content []byte) []byte {
	block := make([]byte, blockSum, blockSum+len(content))
	binary.LittleEndian.PutUint32(block, crc32.Checksum(content, castagnoli))
	return append(block, content...)
}

func encodeFooter(meta raft.SnapshotMeta) ([]byte, error) {
	footer, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	return binary.LittleEndian.AppendUint32(footer, crc32.Checksum(footer, castagnoli)), nil
}

// blocksOf returns the size of the blocks for a content of size bytes, with checksums.
func blocksOf(size int64) int64 {
	return size + (size+blockSize-1)/blockSize*blockSum
}

func readFooter(file *disk.File) (*raft.SnapshotMeta, error) {
	end := make([]byte, footerSize)
	if err := readFull(file, end, file.Size()-footerSize); err != nil {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint32(end))
	if length > file.Size()-footerSize {
		return nil, damaged(file.Path(), "its footer is invalid")
	}
	footer := make([]byte, length+footerSize)
	if err := readFull(file, footer, file.Size()-int64(len(footer))); err != nil {
		return nil, err
	}
	if crc32.Checksum(footer[:length+4], castagnoli) != binary.LittleEndian.Uint32(footer[length+4:]) {
		return nil, damaged(file.Path(), "its footer is invalid")
	}
	var meta raft.SnapshotMeta
	if err := json.Unmarshal(footer[:length], &meta); err != nil {
		return nil, damaged(file.Path(), "%v", err)
	}
	if blocksOf(meta.Size)+int64(len(footer)) != file.Size() {
		return nil, damaged(file.Path(), "its size does not match its footer")
	}
	return &meta, nil
}

// readFull fills p, or returns a *DamageError if the file is too short.
func readFull(file *disk.File, p []byte, offset int64) error {
	if offset < 0 {
		return damaged(file.Path(), "it is too short")
	}
	_, err := file.ReadAt(p, offset)
	if err == io.EOF {
		return damaged(file.Path(), "it is too short")
	}
	return err
}

// content reads the content of a snapshot and verifies it block by block.
type content struct {
	file   *disk.File
	offset int64  // of the next block
	left   int64  // bytes of content from the next block on
	block  []byte // verified and not yet returned
}

func (c *content) Read(p []byte) (int, error) {
	if len(c.block) == 0 {
		if c.left == 0 {
			return 0, io.EOF
		}
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.block)
	c.block = c.block[n:]
	return n, nil
}

func (c *content) next() error {
	block := make([]byte, blockSum+min(c.left, blockSize))
	if err := readFull(c.file, block, c.offset); err != nil {
		return err
	}
	if crc32.Checksum(block[blockSum:], castagnoli) != binary.LittleEndian.Uint32(block) {
		return damaged(c.file.Path(), "the block at byte %d has a wrong checksum", c.offset)
	}
	c.offset += int64(len(block))
	c.block = block[blockSum:]
	c.left -= int64(len(c.block))
	return nil
}

func (c *content) Close() error { return c.file.Close() }
