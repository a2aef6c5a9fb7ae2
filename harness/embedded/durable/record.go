package durable

import (
	"encoding/binary"
	"hash/crc32"
)

// record is how an entry of the log lies in its frame: behind a checksum of its
// index and itself, and once more the length of it all. raft-wal checks neither
// what it reads nor where its index leads, and takes a length on trust.
const recordHeader = 8 // bytes

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encodeRecord(index uint64, entry []byte) []byte {
	record := make([]byte, recordHeader, recordHeader+len(entry))
	record = append(record, entry...)
	binary.LittleEndian.PutUint32(record[4:], uint32(len(record)))
	binary.LittleEndian.PutUint32(record, recordSum(index, record))
	return record
}

// decodeRecord returns the entry, or false if this is not the record at index.
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
