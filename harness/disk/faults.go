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

// The parts. Damage flips a byte of the first three, and loses one of the others.
const (
	Log      Part = "log"      // what Raft has appended, its term and its vote
	Snapshot Part = "snapshot" // the newest snapshot
	Database Part = "database" // the working copy, which reads are served from

	LogEnd    Part = "end of the log" // the appends in the second half of its newest file
	LogFile   Part = "last file of the log"
	LogFolder Part = "folder of the log" // all of its files, term and vote among them
)

// parts are all of them.
var parts = [...]Part{Log, Snapshot, Database, LogEnd, LogFile, LogFolder, Everything}

// Validate returns why there is no such part, or nil.
func (p Part) Validate() error {
	if slices.Contains(parts[:], p) {
		return nil
	}
	return fmt.Errorf("a disk has no part %q: there are %q", string(p), parts)
}
