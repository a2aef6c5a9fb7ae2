// Package chaos plays schedules of faults on a cluster while clients work on it, finds what they break, and
// makes the schedule that breaks it as small as it can.
//
//	Schedule, Entry        what is done to a cluster, and when: plain data
//	Space, Draw            random schedules, each from its seed
//	Boot, Play, Run        boot a cluster for a schedule, play it, heal, and check
//	Outcome, Count         what a run found, and what became of its faults
//	Goal                   states that faults are to reach, so that a run shows what it did not reach
//	Shrink                 the smallest schedule that still fails
//	Spec                   a schedule as a Ginkgo spec to paste
//	Main, Hunt             schedule after schedule, for a target of your own
//
// The kinds of faults are in package nemesis, which injects them.
//
// A run goes
//
//	boot ─> clients start ─> faults at their times ─> heal ─> a write on every node
//	     ─> final reads ─> invariants ─> Options.Judge, on the journal
//
// and any error on the way is a Failure: of safety or of liveness.
//
// A database must survive every schedule. So a node that loses what it promised to keep (Kind.Forgets) is the
// only one of its kind at a time, begins to while all others are online, and comes back as a new member.
//
// A fault that cannot be made fails the run, with four exceptions, which Count counts: the target lacks the
// ability, other faults of the schedule are in the way, they have taken the leader or the quorum that it
// needs, or the schedule ended before its time.
//
// Spec prints the schedule as a Go literal, and the spec hands it to Play, which Run uses too. So the spec
// skips the faults that the run would skip.
package chaos
