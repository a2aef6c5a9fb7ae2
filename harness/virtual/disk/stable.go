package disk

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/hashicorp/raft"
)

type stableStore struct{ *handle }

var _ raft.StableStore = stableStore{}

// errNotFound has the text by which Raft knows that nothing was stored yet.
var errNotFound = errors.New("not found")

func (s stableStore) Set(key, value []byte) error {
	value = bytes.Clone(value)
	return s.write(func(d *Disk) error { d.stable[string(key)] = value; return nil })
}

func (s stableStore) Get(key []byte) (value []byte, err error) {
	err = s.read(func(d *Disk) error {
		found, is := d.stable[string(key)]
		if !is {
			return errNotFound
		}
		value = bytes.Clone(found)
		return nil
	})
	return value, err
}

func (s stableStore) SetUint64(key []byte, value uint64) error {
	return s.Set(key, binary.BigEndian.AppendUint64(nil, value))
}

func (s stableStore) GetUint64(key []byte) (uint64, error) {
	value, err := s.Get(key)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(value), nil
}
