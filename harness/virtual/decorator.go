package virtual

import (
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// Option changes the limits, the schedule or the recording of a bubble.
type Option func(*settled)

// settled are the options of a bubble.
type settled struct {
	limits
	schedule replay.Schedule
	seeded   bool // Seed was given

	decisions string // folder to write them to; empty for none
}

func settle(options []Option) settled {
	s := settled{limits: limits{real: 2 * time.Minute, virtual: 7 * 24 * time.Hour, grace: patience}}
	for _, option := range options {
		option(&s)
	}
	return s
}

// limits apply to each Ginkgo node: a set-up, a spec, a clean-up.
type limits struct {
	real, virtual time.Duration
	grace         time.Duration // real time that a body has after its context has ended
}

// RealLimit limits the real time of each Ginkgo node; default 2 minutes. Ginkgo's own limits (SpecTimeout, NodeTimeout,
// --timeout) are real time too.
func RealLimit(d time.Duration) Option { return func(s *settled) { s.real = d } }

// Limit limits the virtual time of each Ginkgo node; default 7 days. It ends waits that would never end, which take
// hardly any real time: a week of virtual time can pass in a second.
func Limit(d time.Duration) Option { return func(s *settled) { s.virtual = d } }

// Bubble returns a decorator for containers and specs. All nodes of a spec below it (set-up, spec, clean-up, on failure)
// run in one bubble of virtual time. The bubble begins with the first of them and ends after the last. The package
// documentation describes what differs in a bubble.
func Bubble(options ...Option) types.AroundNodeDecorator {
	s := &span{settled: settle(options)}
	return ginkgo.AroundNode(s.around)
}
