package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// namespace is where workloads keep their data.
const namespace = "chaos"

// Options are how a schedule is run. The zero value works.
type Options struct {
	// Judge judges what happened once all is over; nobody does if nil.
	Judge func([]journal.Event) error
	// Patience is how long the cluster has, by its own clock, to be whole again once
	// trouble is over, and as long again to serve on every node; a minute, and
	// a hundred times the pace at least, if 0.
	Patience time.Duration
	// Events is how many events the journal keeps; enough for an hour if 0. Losing an
	// operation fails the run.
	Events int
	// Follow is given each event as it is recorded; see journal.Journal.Follow.
	Follow func(journal.Event)
}

// Outcome is what became of a run.
type Outcome struct {
	Schedule Schedule        `json:"schedule"`
	Failure  *Failure        `json:"failure,omitempty"` // nil if none was found
	Tally    Tally           `json:"tally"`             // of all workloads
	Faults   map[Kind]Count  `json:"faults"`
	Reached  map[Goal]int    `json:"reached"` // how often each goal was seen; those never seen are not there
	Passed   time.Duration   `json:"passed_ns"`
	Events   []journal.Event `json:"events,omitempty"`
}

// Count is how many faults were made, how many of them bit, so far as it showed,
// and how many could not be made when their time came.
type Count struct{ Made, Bit, NotMade int }

// Broken is what a failure breaks.
type Broken string

// What can be broken.
const (
	Safety   Broken = "safety"   // something happened that never may
	Liveness Broken = "liveness" // something did not happen that must
	Process  Broken = "process"  // the process died in which the nodes ran
	Nothing  Broken = "nothing"  // and nothing was done, which proves nothing
)

// Failure is what was found.
type Failure struct {
	Broken Broken `json:"broken"`
	Reason string `json:"reason"`
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %s", f.Broken, f.Reason) }

// Run boots a cluster of the target, lets clients work and makes trouble as the
// schedule says, heals, and looks what is broken. What is found is in the outcome;
// the error is why it could not be run to its end, such as ctx. Of the cluster
// nothing is left then. It runs by the clock of its caller: in a bubble, by that.
func Run(ctx context.Context, t target.Target, s Schedule, o Options) (*Outcome, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if pacer, can := t.(target.Pacer); can && s.Pace > 0 {
		t = pacer.AtPace(s.Pace)
	}
	o.Patience = cmp.Or(o.Patience, max(time.Minute, 100*s.Pace))
	o.Events = cmp.Or(o.Events, 200_000)
	begun := time.Now()
	j := journal.New(o.Events)
	j.Follow(o.Follow)
	booting, cancel := context.WithTimeout(ctx, o.Patience)
	defer cancel()
	c, err := harness.Boot(booting, t, harness.Size(s.Nodes), harness.Seed(s.Seed), harness.Journal(j))
	if err != nil {
		return nil, fmt.Errorf("boot for seed %d: %w", s.Seed, err)
	}
	p := newPlay(c, s)
	failure, err := p.perform(ctx, o)
	err = errors.Join(err, c.Close())
	return &Outcome{
		Schedule: s, Failure: failure, Tally: p.tally(), Faults: p.counts, Reached: p.reached,
		Passed: time.Since(begun), Events: j.Events(),
	}, err
}

// perform is the run, from the first load to the last judgement.
func (p *play) perform(ctx context.Context, o Options) (*Failure, error) {
	if err := p.start(ctx); err != nil {
		p.stopLoads()
		return nil, fmt.Errorf("start: %w", err)
	}
	defer p.stopLoads()
	watching, unwatch := context.WithCancel(ctx)
	defer unwatch()
	var watch sync.WaitGroup
	watch.Go(func() { p.watch(watching) })
	err := p.trouble(ctx, o.Patience)
	broken := Liveness
	if err == nil {
		broken, err = p.settle(ctx, o)
	}
	unwatch()
	watch.Wait()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
	if err != nil {
		return &Failure{broken, err.Error()}, nil
	}
	return nil, nil
}

// start starts all loads.
func (p *play) start(ctx context.Context) error {
	all := make(map[string]Workload)
	for _, w := range Workloads(namespace) {
		all[w.Name()] = w
	}
	for i, name := range p.schedule.Workloads {
		w, is := all[name]
		if !is {
			return fmt.Errorf("there is no workload %q", name)
		}
		load := Load{Workload: w, Clients: p.schedule.Clients, Rate: p.schedule.Rate, Most: p.schedule.Most, Deadline: p.schedule.deadline(), Seed: p.schedule.Seed + uint64(i)}
		running, err := load.Start(ctx, p.cluster)
		if err != nil {
			return fmt.Errorf("workload %s: %w", name, err)
		}
		p.loads = append(p.loads, running)
	}
	return nil
}

func (p *play) stopLoads() {
	for _, load := range p.loads {
		load.Stop()
	}
}

// tally adds up what all loads did.
func (p *play) tally() (sum Tally) {
	for _, load := range p.loads {
		t := load.Tally()
		sum.OK += t.OK
		sum.Failed += t.Failed
		sum.Unknown += t.Unknown
	}
	return sum
}

// trouble makes all faults at their times, and returns when all are undone, with
// why that could not be done. It is over early when all that was to be done is done.
func (p *play) trouble(ctx context.Context, patience time.Duration) error {
	making, over := context.WithTimeout(ctx, p.schedule.Length)
	defer over()
	undoing, end := context.WithCancelCause(ctx)
	defer end(nil)
	var faults, early sync.WaitGroup
	for i, f := range p.schedule.Faults {
		faults.Go(func() { p.fault(undoing, making, i, f) })
	}
	if p.schedule.Most > 0 {
		early.Go(func() {
			p.awaitLoads(making)
			faults.Wait()
			over()
		})
	}
	<-making.Done()
	late := time.AfterFunc(patience, func() { end(fmt.Errorf("it was not undone %v after trouble was over", patience)) })
	defer late.Stop()
	faults.Wait()
	early.Wait()
	return errors.Join(p.undone...)
}

func (p *play) awaitLoads(ctx context.Context) {
	for _, load := range p.loads {
		select {
		case <-load.Done():
		case <-ctx.Done():
			return
		}
	}
}
