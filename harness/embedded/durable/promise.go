package durable

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// promise records how much of the log and the snapshots is durable. The node has acknowledged
// that much to other nodes, so it must not start with less.
type promise struct {
	sequence uint64 // number of changes of the promise

	last, lastTerm uint64 // index and term of the last entry; 0 if nothing was ever stored
	commit         uint64 // known commit index; 0 if unknown
	meta           uint64 // version of log/meta
	snapshot       snapshotKey
}

// snapshotKey identifies a snapshot and is encoded in its name.
type snapshotKey struct {
	term, index, moment uint64 // moment is in milliseconds since the Unix epoch
}

func (k snapshotKey) String() string { return fmt.Sprintf("%020d-%020d-%d", k.term, k.index, k.moment) }

// older returns whether the snapshot is older than than.
func (k snapshotKey) older(than snapshotKey) bool {
	switch {
	case k.term != than.term:
		return k.term < than.term
	case k.index != than.index:
		return k.index < than.index
	}
	return k.moment < than.moment
}

func parseSnapshotKey(id string) (key snapshotKey, err error) {
	if _, err := fmt.Sscanf(id, "%d-%d-%d", &key.term, &key.index, &key.moment); err != nil || key.String() != id {
		return key, fmt.Errorf("%q is not the name of a snapshot", id)
	}
	return key, nil
}

// A promise is stored in a slot: a checksum, its numbers, and zeros.
const (
	promiseSize = 4 + 8*8 // bytes
	slotSize    = 512     // bytes: a disk writes a sector atomically
	slots       = 3
)

// numbers returns the promise's numbers in storage order.
func (p *promise) numbers() [8]*uint64 {
	return [8]*uint64{&p.sequence, &p.last, &p.lastTerm, &p.commit, &p.meta, &p.snapshot.term, &p.snapshot.index, &p.snapshot.moment}
}

func (p promise) encode() []byte {
	slot := make([]byte, 4, promiseSize)
	for _, number := range p.numbers() {
		slot = binary.LittleEndian.AppendUint64(slot, *number)
	}
	binary.LittleEndian.PutUint32(slot, crc32.Checksum(slot[4:], castagnoli))
	return slot
}

// decodePromise returns the promise in the slot, and whether there is one. Every promise has a
// sequence above 0, so zeros are not a promise.
func decodePromise(slot []byte) (p promise, is bool) {
	if len(slot) < promiseSize || crc32.Checksum(slot[4:promiseSize], castagnoli) != binary.LittleEndian.Uint32(slot) {
		return promise{}, false
	}
	for i, number := range p.numbers() {
		*number = binary.LittleEndian.Uint64(slot[4+8*i:])
	}
	return p, p.sequence > 0
}
