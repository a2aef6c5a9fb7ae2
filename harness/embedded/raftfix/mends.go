package raftfix

// Mends is a set of faults that are mended, one bit each. The zero value mends nothing.
type Mends uint32

// The mends. README.md says of each which fault it is about.
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

// All is the set of all mends.
const All = end - 1

// Has tells whether all mends of one are in the set.
func (m Mends) Has(one Mends) bool { return m&one == one }

// Without is the set without some of its mends.
func (m Mends) Without(some Mends) Mends { return m &^ some }
