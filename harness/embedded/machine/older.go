package machine

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// packed is what is known of a key, for as long as it is known: 8 bytes of the SHA-256 of
// the key, 8 of that of its request, and the rows that the request changed if that is all
// of its answer. By chance one key in 10^12 is taken for one of millions of others.
type packed [17]byte

// notKept stands for an answer that is not in packed.
const notKept = 255

func pack(entry Entry, results []Result) (p packed) {
	digest := entry.digest()
	binary.BigEndian.PutUint64(p[:8], nameOfKey(entry.ID))
	copy(p[8:16], digest[:8])
	p[16] = notKept
	if len(results) == 1 && len(results[0].Columns) == 0 && results[0].Affected >= 0 && results[0].Affected < notKept {
		p[16] = byte(results[0].Affected)
	}
	return p
}

// nameOfKey is what an older key is found by.
func nameOfKey(key string) uint64 {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint64(sum[:8])
}

func (p packed) name() uint64   { return binary.BigEndian.Uint64(p[:8]) }
func (p packed) digest() uint64 { return binary.BigEndian.Uint64(p[8:16]) }

// results is the answer, if it is in p.
func (p packed) results() (_ []Result, kept bool) {
	if p[16] == notKept {
		return nil, false
	}
	return []Result{{Columns: []sqlite.Column{}, Affected: int64(p[16])}}, true
}

// packKeys moves the keys before an index into one row for all of them.
func (m *Machine) packKeys(before int64) error {
	last, err := m.writer.Lookup("SELECT max(log_index) FROM rejoin_requests WHERE log_index < ?", before)
	if last == nil || err != nil {
		return err
	}
	const move = "INSERT INTO rejoin_older SELECT max(log_index), max(time), unhex(group_concat(hex(packed), '')) " +
		"FROM (SELECT * FROM rejoin_requests WHERE log_index < ? ORDER BY log_index)"
	if err := m.writer.Trusted(move, before); err != nil {
		return err
	}
	if err := m.writer.Trusted("DELETE FROM rejoin_requests WHERE log_index < ?", before); err != nil {
		return err
	}
	return eachPacked(m.writer, last.(int64), func(p packed) { m.older[p.name()] = p })
}

// dropOlder removes packed rows that are before an index and not of a time, and those
// before another index whatever their time.
func (m *Machine) dropOlder(before, beforeAnyhow, time int64) error {
	for {
		first, err := m.writer.Lookup("SELECT min(log_index) FROM rejoin_older")
		if first == nil || err != nil {
			return err
		}
		index := first.(int64)
		latest, err := m.writer.Lookup("SELECT time FROM rejoin_older WHERE log_index = ?", index)
		if err != nil {
			return err
		}
		if index >= beforeAnyhow && (index >= before || latest.(int64) >= time) {
			return nil
		}
		// A key that was used again after it was forgotten is the later row's.
		if err := eachPacked(m.writer, index, func(p packed) {
			if m.older[p.name()] == p {
				delete(m.older, p.name())
			}
		}); err != nil {
			return err
		}
		if err := m.writer.Trusted("DELETE FROM rejoin_older WHERE log_index = ?", index); err != nil {
			return err
		}
	}
}

// eachPacked gives the keys of a packed row.
func eachPacked(in *sqlite.Conn, index int64, do func(packed)) error {
	row, err := in.Lookup("SELECT packed FROM rejoin_older WHERE log_index = ?", index)
	if err != nil {
		return err
	}
	keys, is := row.([]byte)
	if !is || len(keys)%len(packed{}) != 0 {
		return fmt.Errorf("the keys packed at log index %d are not whole", index)
	}
	for ; len(keys) > 0; keys = keys[len(packed{}):] {
		do(packed(keys[:len(packed{})]))
	}
	return nil
}

// loadOlder reads the older keys from a database, which this one is to be, or has gone
// back to.
func (m *Machine) loadOlder(from *sqlite.Conn) error {
	m.older = make(map[uint64]packed)
	for index := int64(-1); ; {
		next, err := from.Lookup("SELECT min(log_index) FROM rejoin_older WHERE log_index > ?", index)
		if next == nil || err != nil {
			return err
		}
		index = next.(int64)
		if err := eachPacked(from, index, func(p packed) { m.older[p.name()] = p }); err != nil {
			return err
		}
	}
}
