// Package disk is a node's disk, and everything that can be wrong with one: real
// files below a directory, or files in memory.
//
//	WriteAt  the file's holder reads it; a crash loses it
//	Sync     it is safe: there after any crash
//	WriteThrough   the operating system has it: there after a crash of the process,
//	               and not after a loss of power before the next Sync
//	Create, Rename, Remove   happen as a whole, and are safe when they return
//
// What WriteAt writes is kept in this process until it is synced, on both kinds. So
// a crash loses exactly what was not synced, be it Crash or a SIGKILL of the
// process. CutPower loses what was only written through as well, of files in memory.
// What pulling the plug does to real files is the file system's business: each Sync
// is an fsync, and the directory is synced with it.
//
// A Disk outlives its node. Open gives it to one node at a time, as an FS; Crash
// takes it away. A node keeps its parts in files of which the last by name is the
// newest: log/*.wal and snapshots/*.snapshot.
//
// Every wait is on timers and channels, and no lock is held meanwhile, so that in
// a testing/synctest bubble time passes.
package disk
