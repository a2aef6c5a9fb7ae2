package embedded

import (
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
)

// compacted is the log without what was compacted. raft-wal (seen in 0.4.1)
// goes on answering for entries below its first index as long as their file
// holds others, which would hide that a follower is too far behind for the log.
type compacted struct{ *wal.WAL }

var _ raft.MonotonicLogStore = compacted{}

func (c compacted) GetLog(index uint64, log *raft.Log) error {
	first, err := c.FirstIndex()
	if err != nil {
		return err
	}
	if index < first {
		return raft.ErrLogNotFound
	}
	return c.WAL.GetLog(index, log)
}
