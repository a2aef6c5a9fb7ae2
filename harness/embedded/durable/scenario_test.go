package durable

import (
	"bytes"
	"slices"

	"github.com/hashicorp/raft"
)

// contents is the content of a store, as its user knows it.
type contents struct {
	state
	snapshot uint64 // the index of the newest; 0 if there is none
}

// action changes the contents, and returns the corresponding change of the store.
type action func(k *contents) (change func(s *Store) error)

func ofLog(s step) action {
	return func(k *contents) func(*Store) error {
		change := s(&k.state)
		return func(s *Store) error { return change(s.Log) }
	}
}

func (k *contents) last() uint64 {
	if len(k.entries) == 0 {
		return k.snapshot
	}
	return k.entries[len(k.entries)-1].Index
}

// snaps takes a snapshot that ends the given number of entries before the log, or receives one
// beyond the log if negative.
func snaps(before int) action {
	return func(k *contents) func(*Store) error {
		k.snapshot = uint64(int(k.last()) - before)
		index, term := k.snapshot, k.term
		return func(s *Store) error {
			sink, err := s.Snapshots.Create(1, index, term, raft.Configuration{}, 1, nil)
			if err != nil {
				return err
			}
			if _, err := sink.Write(snapshotOf(index)); err != nil {
				return err
			}
			return sink.Close()
		}
	}
}

func snapshotOf(index uint64) []byte { return bytes.Repeat([]byte{byte(index), 0, 7}, 60) }

// clears removes the log, as Raft does after installing a snapshot.
func clears(k *contents) func(*Store) error {
	from, to := k.entries[0].Index, k.last()
	k.entries = nil
	return func(s *Store) error { return s.Log.DeleteRange(from, to) }
}

// continues stores entries after a snapshot, without an earlier log.
func continues(count uint64) action {
	return func(k *contents) func(*Store) error {
		logs := entries(k.snapshot+1, k.snapshot+count)
		for _, log := range logs {
			log.Term = k.term
			k.entries = append(slices.Clip(k.entries), *log)
		}
		return func(s *Store) error { return s.Log.StoreLogs(logs) }
	}
}

// scenario is a sequence of actions that covers all cases of a store.
var scenario = []action{
	ofLog(votes), ofLog(stores(1)), ofLog(stores(3)), ofLog(votes), ofLog(stores(4)), ofLog(stores(9)), snaps(2), ofLog(dropsFirst(10)),
	ofLog(stores(2)), ofLog(dropsLast(1)), ofLog(votes), ofLog(stores(1)), ofLog(stores(5)), snaps(3), ofLog(dropsFirst(4)), ofLog(stores(2)),
	snaps(-20), clears, continues(2), ofLog(stores(3)), snaps(0), ofLog(stores(12)), ofLog(votes), ofLog(dropsLast(5)), ofLog(stores(2)),
	ofLog(stores(1)),
}
