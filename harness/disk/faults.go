package disk

import (
	"fmt"
	"slices"
	"time"
)

// Faults are what is wrong with a disk. The zero Faults are a sound disk.
type Faults struct {
	// Full makes everything that needs room fail with ENOSPC.
	Full bool `json:"full,omitempty"`
	// Failing makes every write and sync fail with EIO.
	Failing bool `json:"failing,omitempty"`
	// Slow is how much longer each sync takes.
	Slow time.Duration `json:"slow,omitempty"`
	// Lying makes a sync say that it is done when nothing is safe: a crash loses
	// all that was written since the lie began.
	Lying bool `json:"lying,omitempty"`
	// Torn makes the next sync keep only the first half of what it was to keep,
	// and then come to nothing: it returns when the disk is taken away, as by a
	// crash. The rest is lost.
	Torn bool `json:"torn,omitempty"`
}

// Part is a part of what a node keeps on its disk.
type Part string

// The parts. Damage flips a byte of the first ones, and loses one of the others.
const (
	Log      Part = "log"      // what Raft has appended, its term and its vote
	Snapshot Part = "snapshot" // the newest snapshot
	Database Part = "database" // the working copy, which reads are served from

	LogFirst      Part = "first entry of the log"
	LogLast       Part = "last entry of the log"
	LogMeta       Part = "term and vote"
	SnapshotFirst Part = "first byte of the newest snapshot"
	SnapshotLast  Part = "last byte of the newest snapshot"
	SnapshotLabel Part = "what the newest snapshot is"
	Promises      Part = "promises of the log" // all that there are
	Owner         Part = "owner of the directory"
	OwnerFirst    Part = "first byte of the owner"
	OwnerLast     Part = "last byte of the owner"

	LogEnd    Part = "end of the log" // the appends in the second half of its newest file
	LogFile   Part = "last file of the log"
	LogFolder Part = "folder of the log" // all of its files, term and vote among them
)

// parts are all of them.
var parts = [...]Part{Log, Snapshot, Database, LogFirst, LogLast, LogMeta, SnapshotFirst, SnapshotLast, SnapshotLabel,
	Promises, Owner, OwnerFirst, OwnerLast, LogEnd, LogFile, LogFolder, Everything}

// Validate returns why there is no such part, or nil.
func (p Part) Validate() error {
	if slices.Contains(parts[:], p) {
		return nil
	}
	return fmt.Errorf("a disk has no part %q: there are %q", string(p), parts)
}
