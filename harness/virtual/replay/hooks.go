package replay

import (
	"math"
	"runtime"
	_ "unsafe" // for go:linkname
)

// table is what the patched runtime offers. It must be the same as replayHooks in
// files/runtime_rejoin.go.txt.
type table struct {
	version int
	begin   func(seed, interleave, yield uint64) bool
	record  func(record []uint64)
	state   func() (decisions, hash, points, yields uint64, recorded int, missed uint64)
	hold    func(on bool)
	ready   func() uint64
}

// The patched runtime defines this variable with content. In any other build it is nil.
//
//go:linkname hooks
var hooks *table

// Exact is true if this binary has the patched runtime, so that a bubble's run is its seed.
func Exact() bool { return hooks != nil && hooks.version == tableVersion }

// tableVersion is the version of table that this package knows.
const tableVersion = 2

// Schedule is what a bubble's run depends on, beside its program.
type Schedule struct {
	// Seed is of everything that is left to chance: selects, timers of one instant,
	// maps, math/rand and crypto/rand.
	Seed uint64
	// Interleave chooses the order of goroutines that can run. 0 is the order in which
	// they became ready; any other number is another order, drawn from it and the seed.
	Interleave uint64
	// Yield is the chance, from 0 to 1, that a goroutine lets others run at an operation
	// on a channel, lock, pool, condition or wait group. Operations of the standard
	// library, of logs, of Ginkgo, and of encoders that keep what they learn of types for
	// the whole process do not count.
	Yield float64
}

// Begin gives the caller's bubble its schedule. Call it first in a bubble, before
// anything is drawn. It does nothing outside of a bubble, or if the binary is not
// Exact. It never blocks.
func Begin(s Schedule) {
	if hooks != nil {
		hooks.begin(s.Seed, s.Interleave, chance(s.Yield))
	}
}

// chance is p as a part of 1<<32.
func chance(p float64) uint64 {
	return uint64(min(max(p, 0), 1) * (math.MaxUint32 + 1))
}

// Hold runs f, and lets no other goroutine of the bubble run meanwhile, even while f
// waits. It is for locks that goroutines outside of the bubble take too: who gets such a
// lock first is not the seed's to say. f must not wait for another goroutine of the bubble.
func Hold(f func()) {
	if hooks == nil {
		f()
		return
	}
	hooks.hold(true)
	defer hooks.hold(false)
	f()
}

// mostTurns is how often Settle lets others run.
const mostTurns = 100_000

// Settle lets the other goroutines of the caller's bubble run until each of them waits for
// something, or 100,000 times. What comes from outside of the bubble afterwards finds it
// in the same state in every run. Virtual time stands still meanwhile.
func Settle() {
	if hooks == nil {
		return
	}
	for turns := 0; hooks.ready() > 0 && turns < mostTurns; turns++ {
		runtime.Gosched()
	}
}

// State is how far a bubble's scheduler has come. Two runs of one seed are the same up
// to a decision if their hashes are equal there.
type State struct {
	Decisions uint64 // how often a goroutine was chosen to run
	Hash      uint64 // of all decisions, with their virtual times
	Points    uint64 // operations at which a goroutine might have yielded, if Yield is not 0
	Yields    uint64 // how often one did
}

// Now is the state of the caller's bubble. It is zero outside of a bubble, or if the
// binary is not Exact.
func Now() State {
	if hooks == nil {
		return State{}
	}
	decisions, hash, points, yields, _, _ := hooks.state()
	return State{Decisions: decisions, Hash: hash, Points: points, Yields: yields}
}
