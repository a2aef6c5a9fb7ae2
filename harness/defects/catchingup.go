package defects

import (
	"errors"
	"io"
	"regexp"
	"slices"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/target"
)

const catchingUpKind = "catching up"

func catchingUp() []Defect {
	return []Defect{
		whileLate("skips-an-entry",
			"a node that catches up skips the last entry of a batch",
			func(inner raft.BatchingFSM, logs []*raft.Log, late []int) []any {
				return inner.ApplyBatch(replaced(logs, late[len(late)-1:]))
			}),
		whileLate("applies-twice",
			"a node that catches up applies the last entry of a batch twice",
			func(inner raft.BatchingFSM, logs []*raft.Log, late []int) []any {
				answers := inner.ApplyBatch(logs)
				again := logs[late[len(late)-1]]
				if entry, is := entryOf(again); is {
					entry.ID = ""
					inner.ApplyBatch([]*raft.Log{with(again, entry)})
					inner.ApplyBatch([]*raft.Log{without(logs[len(logs)-1])})
				}
				return answers
			}),
		whileLate("stops-at-a-batch-border",
			"a node that catches up applies one entry of a batch and skips the rest",
			func(inner raft.BatchingFSM, logs []*raft.Log, late []int) []any {
				return inner.ApplyBatch(replaced(logs, late[1:]))
			}),
		whileLate("loses-ddl",
			"a node that catches up does not apply schema changes",
			func(inner raft.BatchingFSM, logs []*raft.Log, late []int) []any {
				return inner.ApplyBatch(replaced(logs, matching(logs, late, ddl)))
			}),
		whileLate("brings-deleted-rows-back",
			"a node that catches up does not apply deletes",
			func(inner raft.BatchingFSM, logs []*raft.Log, late []int) []any {
				return inner.ApplyBatch(replaced(logs, matching(logs, late, deletes)))
			}),
		{
			Name: "online-too-early", Kind: catchingUpKind, About: "suite:health",
			Text: "a node reports that it is online before it has caught up",
			target: planted{status: func(s target.Status) target.Status {
				if s.State == target.Syncing {
					s.State, s.Behind = target.Online, 0
				}
				return s
			}}.plant},
		{
			Name: "no-snapshot-for-stragglers", Kind: catchingUpKind, About: "suite:snapshot",
			Text: "a node whose log ends before the others' logs begin is never sent a snapshot",
			seams: func(embedded.Life) embedded.Seams {
				return embedded.Seams{Transport: func(t embedded.Transport) embedded.Transport { return withoutSnapshots{t} }}
			}},
	}
}

var (
	ddl     = regexp.MustCompile(`(?i)^\s*(CREATE|ALTER|DROP)\s`)
	deletes = regexp.MustCompile(`(?i)^\s*DELETE\s`)
)

// whileLate is a bug that replaces the application of batches with late entries.
func whileLate(name, text string, do func(inner raft.BatchingFSM, logs []*raft.Log, late []int) []any) Defect {
	return inMachine(name, catchingUpKind, text, "suite:changes", func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
		l := &late{}
		return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) []any {
			if which := l.which(logs); len(which) > 0 {
				return do(inner, logs, which)
			}
			return inner.ApplyBatch(logs)
		}}
	})
}

// replaced returns the entries, with the ones at these places emptied.
func replaced(logs []*raft.Log, at []int) []*raft.Log {
	changed := slices.Clone(logs)
	for _, i := range at {
		changed[i] = without(logs[i])
	}
	return changed
}

func matching(logs []*raft.Log, at []int, sql *regexp.Regexp) (found []int) {
	for _, i := range at {
		if entry, is := entryOf(logs[i]); is && sql.MatchString(entry.SQL) {
			found = append(found, i)
		}
	}
	return found
}

type withoutSnapshots struct{ embedded.Transport }

func (withoutSnapshots) InstallSnapshot(
	raft.ServerID, raft.ServerAddress, *raft.InstallSnapshotRequest, *raft.InstallSnapshotResponse, io.Reader,
) error {
	return errors.New("planted: snapshots are not sent")
}
