package embedded

import (
	"io"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded/durable"
	"github.com/rejoin-db/rejoin/harness/embedded/raftfix"
)

// Stores are the durable stores of a node. Data is durable when a call returns.
type Stores struct {
	Log       raft.LogStore
	Stable    raft.StableStore // Raft's term and vote
	Snapshots raft.SnapshotStore
	Commits   Commits   // the commit index; nil if it is not stored
	Closer    io.Closer // closes all of them; may be nil
}

// Commits stores the commit index across restarts of the node. Raft does not store it, and learns it
// again only from a leader.
type Commits interface {
	// Commit stores that the log is committed up to index. It does not wait until that is durable:
	// it survives a crash of the process, but not always a power failure.
	Commit(index uint64) error
	// CommitIndex returns the highest stored index, at most the last index of the log; 0 if none is
	// known.
	CommitIndex() (uint64, error)
}

// Close closes the stores.
func (s Stores) Close() error {
	if s.Closer == nil {
		return nil
	}
	return s.Closer.Close()
}

func openStores(from *disk.FS, stop *failStop, seams Seams, mends raftfix.Mends, logger hclog.Logger) (Stores, error) {
	kept, err := durable.Open(from, logger.Named("log"), stop.fail)
	if err != nil {
		return Stores{}, err
	}
	var log raft.LogStore = kept.Log
	if !mends.Has(raftfix.FirstIndex) {
		log = kept.Log.WALReads()
	}
	own := Stores{Log: log, Stable: kept.Log, Snapshots: kept.Snapshots, Commits: kept.Log, Closer: kept}
	s := stop.around(decorated(own, seams.Stores))
	s.Log = newLogCache(s.Log)
	return s, nil
}
