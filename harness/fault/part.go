package fault

import (
	"fmt"
	"slices"
)

// Part is a part of what a node keeps on its disk, to be damaged.
type Part string

// The parts. Damage flips a byte of those in the first group, and removes those in the second.
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
	LogFolder Part = "folder of the log" // all of its files, including term and vote

	Everything Part = "whole disk" // the disk is empty afterwards; not for a disk that a node uses
)

// parts lists all parts.
var parts = [...]Part{Log, Snapshot, Database, LogFirst, LogLast, LogMeta, SnapshotFirst, SnapshotLast, SnapshotLabel,
	Promises, Owner, OwnerFirst, OwnerLast, LogEnd, LogFile, LogFolder, Everything}

// Validate returns an error if there is no such part.
func (p Part) Validate() error {
	if slices.Contains(parts[:], p) {
		return nil
	}
	return fmt.Errorf("unknown disk part %q: the parts are %q", string(p), parts)
}
