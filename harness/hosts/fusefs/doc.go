// Package fusefs is a disk for programs of any kind: a FUSE file system that serves a real
// directory, with the faults of fault.Disk. A program that has its files there needs no changes.
//
//	New(dir)     the disk: what is stored, what a crash would lose, the faults
//	  │ Mount / Serve(device)
//	Mount        the file system as programs see it, until it is taken away
//	  │ Crash
//	dir          holds what was synced, and nothing else
//
// # What a crash loses
//
// Every change goes to the directory at once, so the directory always has what programs see. Beside
// it the disk keeps what is needed to take back each change that was not synced: the former content
// of overwritten pages, and the names and files that were removed. Crash takes those changes back.
//
//	content   durable when that file was synced: fsync, fdatasync, msync, O_SYNC, O_DSYNC.
//	          This includes its length, and parts that were truncated or punched out.
//	names     creations, renames and removals are durable when any file or directory was synced
//	          after them, in their order, as in the journal of ext4. A name may thus be durable
//	          before the content: then the file is empty, or has its older content.
//	mode, owner, times, extended attributes   durable at once
//
// This is a strict reading of ext4 in ordered mode: nothing becomes durable by time, by closing a
// file, or by renaming it over another one. A real disk may keep more. The crash of a process alone,
// also by SIGKILL, loses nothing, and neither does the end of the process that serves the disk: the
// directory has everything. sync(2), syncfs(2) and sync_file_range(2) are not passed on to FUSE file
// systems by the kernel and make nothing durable.
//
// By default, nothing is written to the machine's own disk when a program syncs: only simulated
// crashes count. See Options.Flush.
//
// # Faults
//
//	Full      what needs space fails with ENOSPC: writes to parts without allocated space, new
//	          files, directories and attributes. statfs reports no space. A write through a shared
//	          mapping fails at msync.
//	Failing   every change and every sync fails with EIO; reading works
//	Slow      is added to each sync; one that waits ends its wait when the disk is made less slow
//	Lying     a sync changes nothing. If the disk lies no more, the next sync of any file or
//	          directory also makes durable what it lied about, with later writes to those files.
//	Torn      the next sync that has something to make durable stores the names and the first half
//	          of the bytes that changed, by their position in the file. It blocks until the disk is
//	          taken away, as does every later change.
//
// A sync that a fault delays or blocks cannot be interrupted, as on a real disk: not even a SIGKILL
// ends its thread. Hurry ends the delays.
//
// # Relation to harness/disk
//
// Both have the same faults, and the same rules of what a crash loses within a file. Package disk is
// a library for one node, with flat names, and keeps unsynced writes in the node's memory: a crash
// forgets them. Here, the kernel maps files into programs, and must find in them at once what it has
// written; several processes share files; directories have structure. So the changes are made, and
// taken back. Damage by part is in package disk: it works on the directory; call Refresh afterwards.
//
// # Limits
//
// A process that serves a mount must not map files of it, nor start programs in its directories: the
// kernel then stops threads which the process needs to answer. For a mount in a namespace of its own,
// as a host has, that cannot happen.
//
// Linux only. There is no O_TMPFILE, and no ioctl. What is changed from outside
// the mount is seen within a second when a file is opened again, and else after Refresh. The
// directory must be on one file system.
package fusefs
