// Package virtual runs specs in virtual time: real hashicorp/raft, real SQLite and real HTTP in a testing/synctest
// bubble, where time advances to the next timer whenever all goroutines are blocked. A spec may wait ten minutes and
// take ten milliseconds.
//
// It has three independent parts:
//
//	Bubble   a Ginkgo decorator: all nodes of a spec run in one bubble
//	Run      runs one function in a bubble, outside of Ginkgo
//	New      a target: a cluster on a network and on disks in memory, for any bubble
//
// # In a bubble
//
// Set-up, spec, clean-up and on-failure nodes of one spec share a bubble. They run on one goroutine in it, one after the
// other. In an Ordered container, the bubble lasts from BeforeAll to AfterAll, for all its specs. Between two nodes
// virtual time does not advance.
//
//	Eventually, Consistently, time.Since, By     virtual time, starting in the year 2000
//	SpecContext                                  a new one in the bubble; ends with the outer one
//	SpecTimeout, NodeTimeout, --timeout, ^C      real time
//	Fail, panic, Skip, runtime.Goexit            as usual, reported at their own line
//	DeferCleanup, DeferOnFailure                 in the bubble, in their usual order
//
// A spec must create everything it uses in its bubble, block only on channels and timers, and leave no goroutines. While
// it waits on a real socket or for a goroutine outside of the bubble, virtual time does not advance. Using a channel of
// another bubble crashes the process.
//
// Two limits end a hang: real time (Ginkgo's timeouts, RealLimit) and virtual time (Limit), since a week of virtual time
// can pass in a second. First the context of the body ends. If the body still hangs, it is abandoned, its goroutines are
// shown, and the clean-up runs. Goroutines that are left in the bubble five virtual seconds after the last node fail the
// spec with their stacks.
//
// # What a seed reproduces
//
// In a program built for exact replay (package replay, cmd/exact), the run of a bubble depends only on its schedule: Seed,
// Interleave and Yield. Each attempt at a spec has a seed derived from Ginkgo's seed and the spec's full text, so a spec
// runs the same alone and among others. The following have no effect: the number of threads and their load, the garbage
// collector, calls into C, goroutines outside of the bubble, the log and its level, progress reports, and debuggers.
// Decisions helps to find where two runs diverge if they do.
//
// A seed does not cover:
//
//   - what a program reads from its machine: files, environment, the real clock, sockets
//   - a different Go release, library version or architecture: a schedule gives the same run only if the program makes
//     the same decisions. Go 1.27 iterates over a map of more than eight keys in a different order than 1.26
//   - RealLimit and Ginkgo's timeouts, which end a run by the real clock
//   - more than eight concurrent bubbles in a process that share a sync.Pool
//   - with Yield, a report that queries the nodes while they run, for example a progress report: a lock for which the
//     report waits goes to it before goroutines of the bubble that came later
//   - a mutex that is locked outside of the bubble and unlocked inside while a goroutine of the bubble waits for it: the
//     bubble hangs
//
// In any other program the seed determines the nodes that the harness picks, how long each message takes (by link,
// connection and message number, independent of scheduling), and Raft's timeouts, if the test has //go:debug
// randseednop=0 like the suite. It does not determine which of the goroutines that are due at one instant runs first, the
// ready case of a select, and the order of a map. On one thread these rarely differ between runs; the suite sets
// GOMAXPROCS to 1 for that. The table shows how many runs of one seed gave the same journal, to the nanosecond (go test
// -run OneSeed ./harness/virtual -rejoin.runs 100, and the same with go run ./harness/cmd/exact):
//
//	                    exact           1 thread    1 thread, asyncpreemptoff=1   2 threads
//	recovery            1,000 of 1,000  99 of 100   100 of 100                    49 of 100
//	a minute of storm   1,000 of 1,000  1 of 30     1 of 30                       1 of 30
//
// The exact runs were made by 20 concurrent processes, next to eight busy loops.
package virtual
