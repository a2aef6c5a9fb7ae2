// Package chaos makes seeded trouble for a cluster while clients work on it, finds
// what it breaks, and makes the trouble that breaks it as small as it can.
//
//	Schedule, Fault        what is done to a cluster, and when: plain data
//	Space, Draw            schedules by chance, each from its seed
//	Boot, Play, Run        boots a cluster for one, plays it, heals, and looks what is broken
//	Outcome, Count         what was found, and what became of the faults
//	Goal                   states that trouble is to reach, so that it shows what it did not
//	Shrink                 the smallest schedule that still fails
//	Timeline, Spec, Print  a failure as a timeline, and as a Ginkgo spec to paste
//	Worker, Serve          runs in a process of their own, which may die of a panic
//
// A run goes
//
//	boot ─> loads start ─> faults at their times ─> heal ─> a write on every node
//	     ─> final reads ─> invariants ─> Options.Judge, on the journal
//
// and what is not as it must be on the way is a Failure: safety or liveness.
//
// A database must stand all that a schedule does. So a node that forgets what it
// promised to keep (Wipe, FullDisk, LyingDisk) is one at a time, begins to while all
// others are there, and comes back as a new member.
//
// A fault that cannot be made fails the run, with four exceptions, each counted for
// itself in Count: the target lacks the ability, other faults of the schedule are in the
// way, they have taken the leader or the quorum that it needs, or the schedule ended
// before its time.
//
// Spec prints the schedule as a Go literal, and the spec hands it to Play, which Run uses
// too. So the spec skips the faults that the run would skip.
package chaos
