package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/nemesis"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// play is a schedule that is being played.
type play struct {
	cluster  *harness.Cluster
	nemesis  *nemesis.Nemesis
	schedule Schedule
	begun    time.Time
	loads    []*workload.Running

	mu      sync.Mutex
	counts  map[fault.Kind]Count
	reached map[Goal]int
	unmade  []error // why faults were not made, without a good reason
	undone  []error // why faults could not be undone

	expected []string // claims that explain what the judges found
}

func newPlay(c *harness.Cluster, s Schedule) *play {
	return &play{
		cluster: c, nemesis: nemesis.New(c, s.Pace), schedule: s, begun: time.Now(),
		counts: make(map[fault.Kind]Count), reached: make(map[Goal]int),
	}
}

// fault makes a fault at its time, and undoes it after that, at the latest when making ends.
func (p *play) fault(ctx, making context.Context, e Entry) {
	if e.At >= p.schedule.Length || !wait(making, e.At-time.Since(p.begun)) {
		p.count(e.Kind, Count{NotDue: 1})
		return
	}
	injection, err := p.nemesis.Inject(ctx, e.Fault, e.Lasts)
	if err != nil {
		p.notMade(e, err)
		return
	}
	wait(making, e.Lasts)
	effect, err := injection.Undo(ctx)
	made := Count{Made: 1}
	switch effect {
	case nemesis.Bit:
		made.Bit = 1
	case nemesis.Unobserved:
		made.Unseen = 1
	case nemesis.NoEffect:
	}
	p.count(e.Kind, made)
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.undone = append(p.undone, fmt.Errorf("%v for %v: %w", e.At, e.Lasts, err))
	}
}

// notMade counts a fault that was not made for a good reason. Without one, the run fails.
func (p *play) notMade(e Entry, err error) {
	switch {
	case errors.Is(err, harness.ErrUnsupported):
		p.count(e.Kind, Count{Unsupported: 1})
	case errors.Is(err, nemesis.ErrInTheWay):
		p.count(e.Kind, Count{InTheWay: 1})
	case errors.Is(err, nemesis.ErrNoQuorum):
		p.count(e.Kind, Count{NoQuorum: 1})
	default:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.unmade = append(p.unmade, fmt.Errorf("%v for %v: %w", e.At, e.Lasts, err))
	}
}

func (p *play) count(k fault.Kind, more Count) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[k] = p.counts[k].plus(more)
}

// wait blocks for d, and tells whether it has passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
