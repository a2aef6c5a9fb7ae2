// Package disk simulates a node's disk and its faults, on real files below a directory or in
// memory.
//
//	WriteAt        visible to the node; lost in a crash
//	Sync           makes earlier writes durable: they survive any crash
//	WriteThrough   handed to the operating system: survives a crash of the process,
//	               but not a power loss before the next Sync
//	Create, Rename, Remove   atomic, and durable when they return
//
// Data from WriteAt is kept in this process until it is synced, for both kinds of disk. So a
// crash loses exactly the unsynced data, whether by Crash or by a SIGKILL of the process.
// CutPower, for disks in memory, also loses data that was only written through. For real files,
// the effect of a power loss depends on the file system: each Sync is an fsync, and the directory
// is synced too.
//
// A Disk exists independently of its node. Open gives it to one node at a time, as an FS; Crash
// takes it away. A node keeps each part in files of which the last by name is the newest:
// log/*.wal and snapshots/*.snapshot.
//
// All waits use timers and channels, and no mutex is held meanwhile, so that virtual time can
// pass in a testing/synctest bubble.
package disk
