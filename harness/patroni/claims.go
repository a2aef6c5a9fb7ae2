package patroni

import "github.com/rejoin-db/rejoin/harness/target"

// Where the makers say what they promise.
const (
	modesPage    = "Patroni, Replication modes, "
	watchdogPage = "Patroni, Watchdog support: without a watchdog a frozen primary may still take commits when it wakes up"
)

// claims are what the makers say of a mode. No host has a watchdog.
func (m Mode) claims() []target.Claim {
	durability := "Asynchronous mode durability"
	if m != Asynchronous {
		durability = "Synchronous mode"
	}
	return []target.Claim{
		{Promise: target.Durability, Made: m != Asynchronous, Source: modesPage + durability},
		{Promise: target.OneWriter, Source: watchdogPage},
		{Promise: target.Recency, Source: watchdogPage},
		{Promise: target.CrashDurability, Made: true, Source: "PostgreSQL 15, Reliability: a commit is in the write-ahead log on disk"},
	}
}
