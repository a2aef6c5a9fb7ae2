// Package disk is a node's disk in memory: Raft's log, its term and vote, and its
// snapshots. It keeps what was synced, and a crash loses the rest:
//
//	call begins    what is to be stored is on its way, nobody can read it
//	sync           takes Options.Sync of time, which in a bubble is virtual
//	call returns   it is on the disk, and there after any crash
//
// So what a crash loses are calls that have not returned, and snapshots that have
// not been closed: what a node may not have promised to anybody.
//
// Every wait is on a timer, and no lock is held meanwhile, so that in a
// testing/synctest bubble time passes.
package disk
