package durable

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// promise is how much of the log and the snapshots is safe. The node has told others
// so: less than that must never be taken for all.
type promise struct {
	sequence uint64 // counts the changes of the promise

	last, lastTerm uint64 // the end of the log; 0 if nothing was ever stored
	commit         uint64 // an index that is known to be committed; 0 if none is
	meta           uint64 // the version of log/meta
	snapshot       snapshotKey
}

// snapshotKey is what a snapshot's name is made of.
type snapshotKey struct {
	term, index, moment uint64 // the moment is in milliseconds
}

func (k snapshotKey) String() string { return fmt.Sprintf("%020d-%020d-%d", k.term, k.index, k.moment) }

// older tells whether the snapshot is older than the other.
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

// A promise lies in a slot: its numbers behind their checksum, and zeros.
const (
	promiseSize = 4 + 8*8 // bytes
	slotSize    = 512     // bytes: a disk writes that many at once
	slots       = 3
)

// numbers are the promise's numbers, in the order in which they are stored.
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

// decodePromise tells whether there is a promise in the slot. Each has a sequence
// above 0, so that zeros are none.
func decodePromise(slot []byte) (p promise, is bool) {
	if len(slot) < promiseSize || crc32.Checksum(slot[4:promiseSize], castagnoli) != binary.LittleEndian.Uint32(slot) {
		return promise{}, false
	}
	for i, number := range p.numbers() {
		*number = binary.LittleEndian.Uint64(slot[4+8*i:])
	}
	return p, p.sequence > 0
}
