package embedded

import (
	"io"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded/durable"
	"github.com/rejoin-db/rejoin/harness/embedded/raftfix"
)

// Stores are what outlives a node: what is stored is safe when a call returns.
type Stores struct {
	Log       raft.LogStore
	Stable    raft.StableStore // Raft's term and vote
	Snapshots raft.SnapshotStore
	Commits   Commits   // how far the log is committed; nil if that is not known
	Closer    io.Closer // of all of them; nil if there is nothing to close
}

// Commits is how far the log is known to be committed, over the node's lives. Raft
// stores none of it, and would know it again from a leader only.
type Commits interface {
	// Commit notes that the log is committed up to index. It does not wait until that is
	// safe: the end of the process does not lose it, a loss of power may.
	Commit(index uint64) error
	// CommitIndex is the highest index that was noted, and not above the log's last; 0 if
	// none is known.
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
