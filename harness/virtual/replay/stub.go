package replay

// Exact tells whether this program was built with the patched runtime.
func Exact() bool { return false }

// Schedule is how a bubble's chance falls.
type Schedule struct {
	Seed, Interleave uint64
	Yield            float64
}

// Begin gives the caller's bubble its schedule. Call it first in a bubble.
func Begin(Schedule) {}
