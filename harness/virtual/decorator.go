package virtual

import (
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// Option changes a bubble: its limits, or how its chance falls.
type Option func(*settled)

// settled are the options of a bubble.
type settled struct {
	limits
	schedule replay.Schedule
	seeded   bool // the schedule's seed was given

	decisions string // the folder they are written to
}

func settle(options []Option) settled {
	s := settled{limits: limits{real: 2 * time.Minute, virtual: 7 * 24 * time.Hour, grace: patience}}
	for _, option := range options {
		option(&s)
	}
	return s
}

// limits are for one node: a set-up, a spec, a clean-up.
type limits struct {
	real, virtual time.Duration
	grace         time.Duration // real, for a body whose context has ended
}

// RealLimit is how much real time one node may take; 2 minutes unless said.
// Ginkgo's own limits (SpecTimeout, NodeTimeout, --timeout) are real time too.
func RealLimit(d time.Duration) Option { return func(s *settled) { s.real = d } }

// Limit is how much virtual time one node may let pass; 7 days unless
// said. It ends waits for what never comes, which the real clock would not see:
// a week of virtual time can pass in a second.
func Limit(d time.Duration) Option { return func(s *settled) { s.virtual = d } }

// Bubble is a decorator for containers and specs. All nodes of a spec below it
// (set-up, spec, clean-up, on failure) run in one bubble of virtual time, which
// begins with the first of them and ends after the last. See the package's
// documentation for what is the same within and what is not.
func Bubble(options ...Option) types.AroundNodeDecorator {
	s := &span{settled: settle(options)}
	return ginkgo.AroundNode(s.around)
}
