package defects

import (
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// inMachine is a bug in the state machine. make is called at each start of a node.
func inMachine(name, kind, text, about string, make func(inner raft.BatchingFSM, life embedded.Life) raft.BatchingFSM) Defect {
	return Defect{Name: name, Kind: kind, Text: text, About: about, seams: func(life embedded.Life) embedded.Seams {
		return embedded.Seams{Machine: func(inner raft.BatchingFSM) raft.BatchingFSM { return make(inner, life) }}
	}}
}

// batches is a state machine with its own way to apply batches.
type batches struct {
	raft.BatchingFSM
	apply func(inner raft.BatchingFSM, logs []*raft.Log) []any
}

func (m batches) Apply(log *raft.Log) any { return m.ApplyBatch([]*raft.Log{log})[0] }

func (m batches) ApplyBatch(logs []*raft.Log) []any { return m.apply(m.BatchingFSM, logs) }

// rewriting applies a replacement for each entry of the log.
func rewriting(inner raft.BatchingFSM, rewrite func(log *raft.Log, entry machine.Entry) machine.Entry) raft.BatchingFSM {
	return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) []any {
		rewritten := make([]*raft.Log, len(logs))
		for i, log := range logs {
			rewritten[i] = log
			if entry, is := entryOf(log); is {
				rewritten[i] = with(log, rewrite(log, entry))
			}
		}
		return inner.ApplyBatch(rewritten)
	}}
}

// entryOf returns the request in a log entry, if there is one.
func entryOf(log *raft.Log) (machine.Entry, bool) {
	if log.Type != raft.LogCommand {
		return machine.Entry{}, false
	}
	entry, err := machine.Decode(log.Data)
	return entry, err == nil && !entry.Mark()
}

// with returns the log entry with a different request, or unchanged if that cannot be encoded.
func with(log *raft.Log, entry machine.Entry) *raft.Log {
	data, err := entry.Encode()
	if err != nil {
		return log
	}
	changed := *log
	changed.Data = data
	return &changed
}

// without returns the log entry with an empty request.
func without(log *raft.Log) *raft.Log { return with(log, machine.Entry{}) }

// old is the age of an entry from which on it counts as applied late.
const old = 100 * time.Millisecond

// late finds the entries of a batch that are applied late by a node that was up to date before in this life: the node
// is catching up.
type late struct{ lived bool }

func (l *late) which(logs []*raft.Log) []int {
	var which []int
	for i, log := range logs {
		entry, is := entryOf(log)
		switch {
		case !is:
		case time.Since(time.UnixMilli(entry.Time)) < old:
			l.lived = true
		case l.lived:
			which = append(which, i)
		}
	}
	return which
}
