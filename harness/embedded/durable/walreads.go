package durable

import "github.com/hashicorp/raft"

// WALReads returns the log with raft-wal's own GetLog, which also returns deleted entries below
// the first index while their segment file exists. Planted bugs use it.
func (l *Log) WALReads() raft.LogStore { return walReads{l} }

type walReads struct{ *Log }

func (r walReads) GetLog(index uint64, entry *raft.Log) error { return r.wal.GetLog(index, entry) }
