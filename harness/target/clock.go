package target

import (
	"context"
	"time"
)

// Clock is a Cluster whose time is not the world's: it can be let pass at once.
// Whoever asks for the time there, by package time, gets the cluster's.
type Clock interface {
	// Advance blocks until d has passed for the cluster, or ctx ends. All that is
	// due in between happens.
	Advance(ctx context.Context, d time.Duration) error
}

// Seeder is a Target that makes random choices of its own: how long a message
// travels, when a node stands for election.
type Seeder interface {
	// Seeded is the same target, whose next cluster draws from the seed.
	Seeded(seed uint64) Target
}

// Pacer is a Target whose nodes can be slowed down, for specs that let days pass:
// who looks for a leader a hundred times a second looks ten million times a day.
type Pacer interface {
	// AtPace is the same target with nodes that wait so long without word from a
	// leader before they stand for election, and do all that hangs on it as much slower.
	AtPace(election time.Duration) Target
}
