package durable

import "github.com/hashicorp/raft"

// WALReads is the log whose GetLog answers as raft-wal does: also for deleted entries below the
// first index, as long as their file holds others. Planted bugs use it.
func (l *Log) WALReads() raft.LogStore { return walReads{l} }

type walReads struct{ *Log }

func (r walReads) GetLog(index uint64, entry *raft.Log) error { return r.wal.GetLog(index, entry) }
