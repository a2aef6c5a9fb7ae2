package raftfix

// Mends is a set of workarounds, one bit each. The zero value has none.
type Mends uint32

// The workarounds. README.md describes the bug of each.
const (
	Heartbeats    Mends = 1 << iota // heartbeat.go
	Candidates                      // candidate.go
	UnknownVoters                   // unknownvoter.go
	Reinstalls                      // reinstall.go
	ReachBack                       // reachback.go
	Backoff                         // blocking.go
	CommitNotices                   // commitnotice.go
	Stalls                          // stall.go
	Deadlines                       // deadline.go
	LazyEntries                     // lazylog.go, lazyfsm.go, appendbound.go
	LogBytes                        // logbound.go
	StoreErrors                     // storeerrors.go
	Confirmations                   // ../rounds.go: raft.Raft.VerifyLeader is not used
	FirstIndex                      // ../durable/log.go: reads below the first index of raft-wal
	end
)

// All is the set of all workarounds.
const All = end - 1

// Has reports whether all workarounds of one are in the set.
func (m Mends) Has(one Mends) bool { return m&one == one }

// Without returns the set without some of its workarounds.
func (m Mends) Without(some Mends) Mends { return m &^ some }
