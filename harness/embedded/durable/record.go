package durable

import (
	"encoding/binary"
	"hash/crc32"
)

// A record is the payload of an entry's frame: a checksum of the index and the rest, the length
// of the record, and the entry. raft-wal verifies neither the data it reads nor the offsets of
// its index, and trusts lengths.
const recordHeader = 8 // bytes

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encodeRecord(index uint64, entry []byte) []byte {
	record := make([]byte, recordHeader, recordHeader+len(entry))
	record = append(record, entry...)
	binary.LittleEndian.PutUint32(record[4:], uint32(len(record)))
	binary.LittleEndian.PutUint32(record, recordSum(index, record))
	return record
}

// decodeRecord returns the entry, or false if this is not a valid record for index.
func decodeRecord(index uint64, record []byte) (entry []byte, whole bool) {
	if len(record) < recordHeader || binary.LittleEndian.Uint32(record[4:]) != uint32(len(record)) ||
		binary.LittleEndian.Uint32(record) != recordSum(index, record) {
		return nil, false
	}
	return record[recordHeader:], true
}

func recordSum(index uint64, record []byte) uint32 {
	var at [8]byte
	binary.LittleEndian.PutUint64(at[:], index)
	return crc32.Update(crc32.Checksum(at[:], castagnoli), castagnoli, record[4:])
}
