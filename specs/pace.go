package specs

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Pace is how fast the nodes of a target are, by their own timers. Every time in the specs
// that depends on the speed of a database comes from it. Zero fields have defaults.
type Pace struct {
	// Election is how long a node waits without word from a leader before it stands for
	// election; default 50ms, or Failover/8 if that is given.
	Election time.Duration
	// Failover is the longest time without acknowledged writes after a leader is lost, on a
	// machine that is not busy; default 8 times Election.
	Failover time.Duration
	// Write is how long a node tries to commit a write before it refuses it; default 40 times
	// Election.
	Write time.Duration
	// Wait is how long a spec waits for what must happen; default 200 times Election, and
	// Gomega's own default at an Election of 50ms or less.
	Wait time.Duration
	// Spec bounds each spec in real time; default 100 times Failover, at least 60s.
	Spec time.Duration
}

const (
	usualElection = 50 * time.Millisecond // that of the embedded database
	shortestSpec  = 60 * time.Second
)

// withDefaults fills in what is zero.
func (p Pace) withDefaults() Pace {
	if p.Election == 0 {
		p.Election = usualElection
		if p.Failover > 0 {
			p.Election = p.Failover / 8
		}
	}
	if p.Failover == 0 {
		p.Failover = 8 * p.Election
	}
	if p.Write == 0 {
		p.Write = 40 * p.Election
	}
	if p.Wait == 0 && p.Election > usualElection {
		p.Wait = 200 * p.Election
	}
	if p.Spec == 0 {
		p.Spec = max(shortestSpec, 100*p.Failover)
	}
	return p
}

// slowedTo is the pace of the same target at another election timeout, in virtual time.
func (p Pace) slowedTo(election time.Duration) Pace {
	return Pace{Election: election, Spec: p.Spec}.withDefaults()
}

// The times that specs need. Each is longer on a slower target, and never shorter than on the
// embedded database.

// elections is so many times the election timeout.
func (p Pace) elections(times time.Duration) time.Duration { return times * p.Election }

// momentAfterContact is less than a new leader needs, at best, to be elected and to change
// something: less than twice the election timeout.
func (p Pace) momentAfterContact() time.Duration { return 19 * p.Election / 10 }

// untilDiskHangs is how soon a leader hangs on its disk once it is sent something to store.
func (p Pace) untilDiskHangs() time.Duration { return p.Election / 10 }

// absence is how long a node must miss its leader so that messages which were under way are
// not enough for it to catch up.
func (p Pace) absence() time.Duration { return p.elections(4) }

// quiet is long enough to see that a node sends nothing.
func (p Pace) quiet() time.Duration { return p.elections(6) }

// withoutQuorum is long enough for several elections: a write that is not acknowledged by
// then needs nodes that are away.
func (p Pace) withoutQuorum() time.Duration { return p.elections(12) }

// manyElections is long enough for many.
func (p Pace) manyElections() time.Duration { return p.elections(40) }

// outage is the longest time without acknowledged writes on a real clock, besides the time
// without a processor.
func (p Pace) outage() time.Duration { return max(3*time.Second, 2*p.Failover) }

// refusal is how long a node may take to refuse a write for which there is no quorum.
func (p Pace) refusal() time.Duration { return max(10*time.Second, 2*(p.Write+p.Failover)) }

// hang is how long a disk hangs that hangs until others have elected a leader.
func (p Pace) hang() time.Duration { return p.elections(60) }

// forEver is how long a disk hangs that hangs for all of a spec.
func (p Pace) forEver() time.Duration { return max(time.Minute, p.elections(1200)) }

// read is how long a node that wakes up is given to answer a read.
func (p Pace) read() time.Duration { return max(10*time.Second, p.elections(200)) }

// request is how long a client of a workload waits for an answer.
func (p Pace) request() time.Duration { return max(3*time.Second, p.elections(60)) }

// stop is longer than a node needs to stop if it waits for no request.
func (p Pace) stop() time.Duration { return max(3*time.Second, p.elections(60)) }

// slowness is how slow a slow link or disk is: longer than fifty writes take.
func (p Pace) slowness() time.Duration { return max(5*time.Second, p.elections(100)) }

// work bounds hundreds of writes, one after the other: ten seconds of work on a busy machine.
func (p Pace) work() time.Duration { return max(50*time.Second, p.elections(1000)) }

// glance is how often a spec looks at a node that it must not miss in a short state: less than
// one part of a node needs to notify another, on a fast target.
func (p Pace) glance() time.Duration { return max(30*time.Microsecond, p.Election/2000) }

// events is how many events the journal of a spec keeps: a history that is cut off proves nothing, and on a slow target the same
// faults take more of its clients' time.
func (p Pace) events() int { return journal.DefaultSize * max(1, int(p.Election/usualElection)) }

// pause is between two writes of a client, so that clients of a slow target do not write many
// times as much in the same number of elections; none at the usual election timeout.
func (p Pace) pause() time.Duration { return max(0, p.Election-usualElection) / 100 }

// lateAndNarrow is a link on which a heartbeat takes more than two election timeouts, and a
// snapshot more than a second.
func (p Pace) lateAndNarrow() fault.Rule {
	return fault.Rule{Latency: 12 * p.Election / 5, Bandwidth: 256 << 10}
}

// eventually is Eventually, which waits as long as the target's pace demands.
func (env *environment) eventually(ctx context.Context, actual any) AsyncAssertion {
	GinkgoHelper()
	assertion := Eventually(ctx, actual)
	if env.pace.Wait > 0 {
		assertion = assertion.WithTimeout(env.pace.Wait)
	}
	return assertion
}

// consistently is Consistently, which watches as long as the target's pace demands.
func (env *environment) consistently(ctx context.Context, actual any) AsyncAssertion {
	GinkgoHelper()
	assertion := Consistently(ctx, actual)
	if env.pace.Election > usualElection {
		assertion = assertion.WithTimeout(env.pace.absence())
	}
	return assertion
}
