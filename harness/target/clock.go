package target

import (
	"context"
	"time"
)

// Clock is a Cluster in virtual time, which passes on demand. Package time returns the virtual
// time to everything that runs in it, specs included.
type Clock interface {
	// Advance lets d pass: everything that is due meanwhile happens. It blocks until then, or
	// until ctx ends.
	Advance(ctx context.Context, d time.Duration) error
}

// Seeder is a Target that makes random choices, such as the latency of a message or an election
// timeout.
type Seeder interface {
	// Seeded returns the same target with another seed, for its next cluster.
	Seeded(seed uint64) Target
}

// Pacer is a Target whose nodes can be slowed down, for specs that take days of virtual time:
// heartbeats a hundred times a second are ten million a day.
type Pacer interface {
	// AtPace returns the same target with that election timeout, and with the timers that
	// depend on it slowed down in proportion.
	AtPace(election time.Duration) Target
}
