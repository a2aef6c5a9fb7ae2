package defects

import (
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/raftfix"
)

// upstream are faults of the libraries below the database: each switches the mend of one off.
// embedded/raftfix/README.md says how each was found.
func upstream() []Defect {
	return []Defect{
		withoutMend("raft-heartbeat-beside-main-loop", raftfix.Heartbeats, "suite:reads",
			"raft: a heartbeat changes a node's state beside the main loop, during an election"),
		withoutMend("raft-candidate-names-a-leader", raftfix.Candidates, "suite:replication",
			"raft: a candidate that names a lost leader refuses its vote to all others"),
		withoutMend("raft-no-vote-for-unknown-member", raftfix.UnknownVoters, "suite:members",
			"raft: a node that lags behind a change of members refuses its vote to the new one"),
		withoutMend("raft-installs-snapshot-twice", raftfix.Reinstalls, "suite:replication",
			"raft: a snapshot that is installed already is installed again, and the log after it is dropped"),
		withoutMend("raft-refuses-entries-in-snapshot", raftfix.ReachBack, "suite:replication",
			"raft: entries that begin in a follower's snapshot are refused, however often they are sent"),
		withoutMend("raft-append-back-off", raftfix.Backoff, "suite:replication",
			"raft: a leader waits up to 10 s after failed calls, though the follower is back"),
		withoutMend("raft-late-commit-notice", raftfix.CommitNotices, "suite:replication",
			"raft: a follower hears of a commit with the next call only, up to twice the commit timeout later"),
		withoutMend("raft-stalled-leader-leads-on", raftfix.Stalls, "suite:reads",
			"raft: a leader whose disk hangs goes on sending heartbeats"),
		withoutMend("raft-one-deadline-for-all-appends", raftfix.Deadlines, "suite:large-rows",
			"raft: a call has the same time however many bytes it carries"),
		withoutMend("raft-counts-entries-not-bytes", raftfix.LazyEntries, "suite:replication",
			"raft: a leader reads, holds and sends hundreds of entries at once, whatever their size"),
		withoutMend("raft-log-without-byte-bound", raftfix.LogBytes, "suite:replication",
			"raft: a log of large entries grows until there are enough of them for a snapshot"),
		withoutMend("raft-panics-at-store-errors", raftfix.StoreErrors, "suite:snapshot",
			"raft: a term that cannot be stored, or an entry that cannot be read, ends the process"),
		withoutMend("raft-confirms-by-old-answers", raftfix.Confirmations, "suite:fresh",
			"raft: a leader counts answers to heartbeats that it sent before it was asked whether it leads"),
		withoutMend("raft-wal-reads-below-first", raftfix.FirstIndex, "suite:restored-members",
			"raft-wal: deleted entries below the log's first index are still read"),
	}
}

func withoutMend(name string, mend raftfix.Mends, about, text string) Defect {
	return Defect{Name: name, Kind: "upstream", About: about, Text: text, seams: func(embedded.Life) embedded.Seams {
		return embedded.Seams{Raft: func(all raftfix.Mends) raftfix.Mends { return all.Without(mend) }}
	}}
}
