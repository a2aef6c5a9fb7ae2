package embedded

import (
	"errors"
	"io"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded/durable"
)

// Stores are what outlives a node: what is stored is safe when a call returns.
type Stores struct {
	Log       raft.LogStore
	Stable    raft.StableStore // Raft's term and vote
	Snapshots raft.SnapshotStore
	Closer    io.Closer // of all three; nil if there is nothing to close
}

// Close closes the stores.
func (s Stores) Close() error {
	if s.Closer == nil {
		return nil
	}
	return s.Closer.Close()
}

func openStores(from *disk.FS, guard *guard, seams Seams, logger hclog.Logger) (Stores, error) {
	log, err := durable.OpenLog(from, logger.Named("log"), guard.fail)
	if err != nil {
		return Stores{}, err
	}
	snapshots, err := durable.OpenSnapshots(from)
	if err != nil {
		return Stores{}, errors.Join(err, log.Close())
	}
	s := guard.around(between(Stores{Log: log, Stable: log, Snapshots: snapshots, Closer: log}, seams.Stores))
	s.Log = newLogCache(s.Log)
	return s, nil
}
