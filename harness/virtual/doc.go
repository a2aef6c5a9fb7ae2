// Package virtual runs specs in virtual time: real hashicorp/raft, real SQLite
// and real HTTP in a testing/synctest bubble, where time jumps to the next timer
// whenever everybody waits. A spec may wait ten minutes and take ten milliseconds.
//
// It has two parts, which know nothing of each other:
//
//	Bubble   a Ginkgo decorator: all nodes of a spec run in one bubble
//	Run      a bubble outside of Ginkgo, for one function
//	New      a target: a cluster on a network and on disks in memory, for any bubble
//
// # In a bubble
//
// Set-up, spec, clean-up and on-failure nodes of one spec share a bubble and run
// on one goroutine in it, one after the other. In an Ordered container what
// BeforeAll began lasts for all its specs, and so does the bubble. Between two
// nodes time stands still.
//
//	Eventually, Consistently, time.Since, By     virtual time, from the year 2000 on
//	SpecContext                                  made anew in the bubble; ends with the outer one
//	SpecTimeout, NodeTimeout, --timeout, ^C      real time
//	Fail, panic, Skip, runtime.Goexit            as ever, at their own line
//	DeferCleanup, DeferOnFailure                 in the bubble, in their own order
//
// Everything a spec uses must be made in its bubble, wait on channels and timers
// only, and be gone at the end. A real socket or a wait for a goroutine outside
// keeps time from passing; a channel from another bubble ends the process.
//
// What hangs is cut twice: by real time (Ginkgo's timeouts, RealLimit) and by
// virtual time (Limit), since a week of waiting for nothing can pass in a
// second. Its context ends; should it hang on, it is given up, its goroutines
// are shown, and the clean-up still runs. Goroutines that are left in the bubble
// at the end, five virtual seconds after the last node, fail the spec by name.
//
// # What a seed reproduces
//
// A program that is built for exact replay (package replay, cmd/exact) runs a bubble
// exactly as its schedule says: Seed, Interleave and Yield. Each attempt at a spec has a
// seed made of Ginkgo's seed and the spec's full text, so a spec runs the same alone and
// among others. The number of threads, their load, the collector, calls into C,
// goroutines outside of the bubble, the log and its level, progress reports and a
// debugger change nothing. Decisions finds where two runs part if they do.
//
// A seed does not cover:
//
//   - what a program reads of its machine: files, environment, the real clock, sockets
//   - another Go release, another version of a library, another architecture: the same
//     schedule gives the same run only if the program's own decisions stay the same. Go
//     1.27 walks over a map of more than eight keys in another order than 1.26
//   - RealLimit and Ginkgo's timeouts, which cut a run by the real clock
//   - more than eight bubbles at once in a process that share a sync.Pool
//   - with Yield, a report that asks the nodes while they run, as a progress report does:
//     a lock on which the report waits goes to it before the goroutines of the bubble that
//     came later
//   - a mutex that is locked outside of the bubble and unlocked inside while a goroutine
//     of the bubble waits for it: the bubble hangs
//
// A program that is not built so takes from the seed: which node the harness asks, how
// long each message travels (by link, connection and message number, whatever runs
// first), and Raft's timeouts, if the test has //go:debug randseednop=0 as the suite's
// own has. Which goroutine goes first of those that are due at one instant, which case of
// a select, and the order of a map are left to chance. On one thread these hardly differ
// from run to run; the suite sets GOMAXPROCS to 1 for that. So many runs of one seed gave
// the same journal, to the nanosecond (go test -run OneSeed ./harness/virtual
// -rejoin.runs 100, and the same after go run ./harness/cmd/exact):
//
//	                    exact           1 thread    1 thread, asyncpreemptoff=1   2 threads
//	recovery            1,000 of 1,000  99 of 100   100 of 100                    49 of 100
//	a minute of storm   1,000 of 1,000  1 of 30     1 of 30                       1 of 30
//
// The exact runs were in 20 processes at once, beside eight busy loops.
package virtual
