package durable

import (
	"bytes"
	"slices"

	"github.com/hashicorp/raft"
)

// kept is what a store holds, as its user knows it.
type kept struct {
	state
	snapshot uint64 // the index of the newest; 0 if there is none
}

// deed changes what is kept, and says how the store is changed likewise.
type deed func(k *kept) (change func(s *Store) error)

func ofLog(s step) deed {
	return func(k *kept) func(*Store) error {
		change := s(&k.state)
		return func(s *Store) error { return change(s.Log) }
	}
}

func (k *kept) last() uint64 {
	if len(k.entries) == 0 {
		return k.snapshot
	}
	return k.entries[len(k.entries)-1].Index
}

// snaps takes a snapshot of that many entries less than there are, or receives one of
// more if negative.
func snaps(before int) deed {
	return func(k *kept) func(*Store) error {
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

// clears removes the log, as Raft does behind a snapshot that it has received.
func clears(k *kept) func(*Store) error {
	from, to := k.entries[0].Index, k.last()
	k.entries = nil
	return func(s *Store) error { return s.Log.DeleteRange(from, to) }
}

// continues stores entries behind a snapshot, without a log.
func continues(count uint64) deed {
	return func(k *kept) func(*Store) error {
		logs := entries(k.snapshot+1, k.snapshot+count)
		for _, log := range logs {
			log.Term = k.term
			k.entries = append(slices.Clip(k.entries), *log)
		}
		return func(s *Store) error { return s.Log.StoreLogs(logs) }
	}
}

// life is a node's, with everything in it that a store meets.
var life = []deed{
	ofLog(votes), ofLog(stores(1)), ofLog(stores(3)), ofLog(votes), ofLog(stores(4)), ofLog(stores(9)), snaps(2), ofLog(dropsFirst(10)),
	ofLog(stores(2)), ofLog(dropsLast(1)), ofLog(votes), ofLog(stores(1)), ofLog(stores(5)), snaps(3), ofLog(dropsFirst(4)), ofLog(stores(2)),
	snaps(-20), clears, continues(2), ofLog(stores(3)), snaps(0), ofLog(stores(12)), ofLog(votes), ofLog(dropsLast(5)), ofLog(stores(2)), ofLog(stores(1)),
}
