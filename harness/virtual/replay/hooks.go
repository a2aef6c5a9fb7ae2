package replay

import (
	"math"
	"runtime"
	_ "unsafe" // for go:linkname
)

// table holds the functions of the patched runtime. It must match replayHooks in files/runtime_rejoin.go.txt.
type table struct {
	version int
	begin   func(seed, interleave, yield uint64) bool
	record  func(record []uint64)
	state   func() (decisions, hash, points, yields uint64, recorded int, missed uint64)
	hold    func(on bool)
	ready   func() uint64
}

// The patched runtime defines and initializes this variable. In any other build it is nil.
//
//go:linkname hooks
var hooks *table

// Exact reports whether this binary has the patched runtime, so that the run of a bubble depends on its seed only.
func Exact() bool { return hooks != nil && hooks.version == tableVersion }

// tableVersion is the version of table that this package supports.
const tableVersion = 2

// Schedule determines the run of a bubble, together with the program.
type Schedule struct {
	// Seed determines all random choices: selects, timers that are due at one instant, maps, math/rand and
	// crypto/rand.
	Seed uint64
	// Interleave selects the order of runnable goroutines. 0 is the order in which they became runnable; any other
	// number selects a different order, drawn from it and the seed.
	Interleave uint64
	// Yield is the probability, 0 to 1, that a goroutine yields at an operation on a channel, lock, pool, condition
	// or wait group. Operations of the standard library, of logs, of Ginkgo, and of encoders that cache type
	// information for the process do not count.
	Yield float64
}

// Begin sets the schedule of the caller's bubble. Call it first in a bubble, before any random draw. It does nothing
// outside of a bubble or if the binary is not [Exact]. It never blocks.
func Begin(s Schedule) {
	if hooks != nil {
		hooks.begin(s.Seed, s.Interleave, chance(s.Yield))
	}
}

// chance converts a probability to a multiple of 1/2^32.
func chance(p float64) uint64 {
	return uint64(min(max(p, 0), 1) * (math.MaxUint32 + 1))
}

// Hold runs f while no other goroutine of the bubble runs, even while f blocks. Use it for locks that goroutines
// outside of the bubble take too: the seed does not control who gets such a lock first. f must not wait for another
// goroutine of the bubble.
func Hold(f func()) {
	if hooks == nil {
		f()
		return
	}
	hooks.hold(true)
	defer hooks.hold(false)
	f()
}

// mostTurns is the maximum number of times that Settle yields.
const mostTurns = 100_000

// Settle yields until every other goroutine of the caller's bubble is blocked, at most 100,000 times. Events from
// outside of the bubble then find it in the same state in every run. Virtual time does not advance. It does nothing
// if the binary is not [Exact].
func Settle() {
	if hooks == nil {
		return
	}
	for turns := 0; hooks.ready() > 0 && turns < mostTurns; turns++ {
		runtime.Gosched()
	}
}

// State is the progress of a bubble's scheduler. Two runs of one seed are equal up to a decision if their hashes are
// equal there.
type State struct {
	Decisions uint64 // number of times a goroutine was chosen to run
	Hash      uint64 // digest of all decisions, with their virtual times
	Points    uint64 // operations at which a goroutine could have yielded, if Yield is not 0
	Yields    uint64 // operations at which one yielded
}

// Now returns the state of the caller's bubble. It is zero outside of a bubble or if the binary is not [Exact].
func Now() State {
	if hooks == nil {
		return State{}
	}
	decisions, hash, points, yields, _, _ := hooks.state()
	return State{Decisions: decisions, Hash: hash, Points: points, Yields: yields}
}
