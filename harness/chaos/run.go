package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// namespace is where workloads keep their data.
const namespace = "chaos"

// Options are how a schedule is run. The zero value works.
type Options struct {
	// Judge judges the journal of the run; nil judges nothing. See check.All.
	Judge func([]journal.Event) error
	// Patience bounds, by the cluster's clock, how long the cluster takes to become healthy after the
	// last fault, and as long again to serve on every node. Default a minute, or 100 times the pace if
	// that is longer.
	Patience time.Duration
	// Events is how many events the journal keeps. The default is enough for an hour. A run that loses
	// an operation fails.
	Events int
	// Expected are words of lines that nodes may say although they tell of a bug: see harness.Cluster.VerifyLogs.
	Expected []string
	// Follow is called with each event as it is recorded; see journal.Journal.Follow.
	Follow func(journal.Event)
}

// Outcome is the result of a run.
type Outcome struct {
	Schedule Schedule `json:"schedule"`
	Failure  *Failure `json:"failure,omitempty"` // nil if none was found
	// Expected are the claims of the makers that a promise is not made, where the run has shown that it is not kept: see target.Claimer.
	Expected []string             `json:"expected,omitempty"`
	Tally    workload.Tally       `json:"tally"` // of all workloads
	Faults   map[fault.Kind]Count `json:"faults"`
	Reached  map[Goal]int         `json:"reached"` // how often each goal was reached; without those that never were
	Passed   time.Duration        `json:"passed_ns"`
	Events   []journal.Event      `json:"events,omitempty"`
	Logs     []NodeLog            `json:"logs,omitempty"` // of a failure, where the target keeps logs
}

// Broken is what a failure breaks.
type Broken string

// What can be broken.
const (
	Safety   Broken = "safety"   // something happened that must never happen
	Liveness Broken = "liveness" // something did not happen that must happen
	Process  Broken = "process"  // the process died in which the nodes ran
	Nothing  Broken = "nothing"  // nothing was done, so nothing was shown
	Unmade   Broken = "unmade"   // a fault could not be made, so the schedule was not played
)

// Failure is what a run found.
type Failure struct {
	Broken Broken `json:"broken"`
	Reason string `json:"reason"`
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %s", f.Broken, f.Reason) }

// Run boots a cluster for the schedule, plays the schedule on it, and closes it. It blocks until nothing
// of the cluster is left. The error is the reason why the schedule could not be run to its end, such as
// the end of ctx; what the run found is in the outcome.
func Run(ctx context.Context, t target.Target, s Schedule, o Options) (*Outcome, error) {
	begun := time.Now()
	c, err := Boot(ctx, t, s, o)
	if err != nil {
		return nil, err
	}
	outcome, err := Play(ctx, c, s, o)
	err = errors.Join(err, c.Close())
	if outcome != nil {
		outcome.Passed = time.Since(begun)
	}
	return outcome, err
}

// Boot boots a cluster of the target for the schedule: with its size, seed and pace, and with a journal
// that is large enough. It blocks until all nodes are online, for Options.Patience at most. Close must
// follow.
func Boot(ctx context.Context, t target.Target, s Schedule, o Options) (*harness.Cluster, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	o = o.filled(s)
	if pacer, can := t.(target.Pacer); can && s.Pace > 0 {
		t = pacer.AtPace(s.Pace)
	}
	j := journal.New(o.Events)
	j.Follow(o.Follow)
	ctx, cancel := context.WithTimeout(ctx, o.Patience)
	defer cancel()
	c, err := harness.Boot(ctx, t, harness.Size(s.Nodes), harness.Seed(s.Seed), harness.Journal(j))
	if err != nil {
		return nil, fmt.Errorf("boot for seed %d: %w", s.Seed, err)
	}
	return c, nil
}

// Play runs the schedule's clients on a cluster, injects its faults, heals, and checks the cluster. It
// blocks until that is done, by the clock of the caller: in a bubble, by virtual time. What it found is in
// the outcome; the error is the reason why the schedule could not be played to its end, such as the end of
// ctx. The cluster must have the schedule's size, all nodes online and no fault in force; it stays open.
// Options.Events and Options.Follow are for Boot.
func Play(ctx context.Context, c *harness.Cluster, s Schedule, o Options) (*Outcome, error) {
	if err := errors.Join(s.Validate(), s.fits(c)); err != nil {
		return nil, err
	}
	p := newPlay(c, s)
	failure, err := p.perform(ctx, o.filled(s))
	var logs []NodeLog
	if failure != nil {
		logs = logsOf(c)
	}
	return &Outcome{
		Schedule: s, Failure: failure, Expected: p.expected, Tally: p.tally(), Faults: p.counts, Reached: p.reached,
		Passed: time.Since(p.begun), Events: c.Journal().Events(), Logs: logs,
	}, err
}

// fits returns why the schedule cannot be played on the cluster, or nil.
func (s Schedule) fits(c *harness.Cluster) error {
	if size := c.Size(); size != s.Nodes {
		return fmt.Errorf("the schedule is for %d nodes, and the cluster has %d", s.Nodes, size)
	}
	for i := range s.Nodes {
		online, err := c.IsNodeOnline(i)
		if err == nil && !online {
			err = fmt.Errorf("node %d is offline", i)
		}
		if err != nil {
			return fmt.Errorf("the schedule cannot be played on this cluster: %w", err)
		}
	}
	return nil
}

// filled returns the options with the defaults in place of zeros.
func (o Options) filled(s Schedule) Options {
	o.Patience = cmp.Or(o.Patience, max(time.Minute, 100*s.Pace))
	o.Events = cmp.Or(o.Events, 200_000)
	return o
}

// perform is the run, from the first client to the last check.
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
	err := p.injectAll(ctx, o.Patience)
	broken := Liveness
	if err == nil {
		broken, err = p.settle(ctx, o)
	}
	unwatch()
	watch.Wait()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
	broken, err = p.alarms(o, broken, err)
	return p.failure(broken, err), nil
}

// alarms adds what the logs of the nodes tell to what was found: it may be why the cluster does not heal.
func (p *play) alarms(o Options, broken Broken, found error) (Broken, error) {
	err := p.cluster.VerifyLogs(o.Expected...)
	alarm := (*harness.AlarmError)(nil)
	switch {
	case errors.As(err, &alarm):
		broken = Safety
	case err != nil && found == nil: // a log cannot be read
		broken = Nothing
	}
	return broken, errors.Join(err, found)
}

// failure is what was found: err, which broke something, and the faults that could not be made. It is nil
// if there is neither.
func (p *play) failure(broken Broken, err error) *Failure {
	unmade := errors.Join(p.unmade...)
	switch {
	case err == nil && unmade == nil:
		return nil
	case err == nil:
		broken = Unmade
	}
	return &Failure{broken, errors.Join(err, unmade).Error()}
}

// start starts the clients of all workloads.
func (p *play) start(ctx context.Context) error {
	all := make(map[string]workload.Workload)
	for _, w := range workloads(p.cluster) {
		all[w.Name()] = w
	}
	for i, name := range p.schedule.Workloads {
		w, is := all[name]
		if !is {
			return fmt.Errorf("there is no workload %q, or the target does not support it", name)
		}
		load := workload.Load{
			Workload: w, Clients: p.schedule.Clients, Rate: p.schedule.Rate, Most: p.schedule.Most,
			Deadline: p.schedule.deadline(), Seed: p.schedule.Seed + uint64(i),
		}
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

// tally adds up the operations of all workloads.
func (p *play) tally() (sum workload.Tally) {
	for _, load := range p.loads {
		t := load.Tally()
		sum.OK += t.OK
		sum.Failed += t.Failed
		sum.Unknown += t.Unknown
	}
	return sum
}

// injectAll makes all faults at their times, and returns when all are undone, with the reasons why some
// could not be. It ends early if all operations of a bounded schedule are done.
func (p *play) injectAll(ctx context.Context, patience time.Duration) error {
	making, over := context.WithTimeout(ctx, p.schedule.Length)
	defer over()
	undoing, end := context.WithCancelCause(ctx)
	defer end(nil)
	var faults, early sync.WaitGroup
	for _, e := range p.schedule.Faults {
		faults.Go(func() { p.fault(undoing, making, e) })
	}
	if p.schedule.Most > 0 {
		early.Go(func() {
			p.awaitLoads(making)
			faults.Wait()
			over()
		})
	}
	<-making.Done()
	late := time.AfterFunc(patience, func() { end(fmt.Errorf("not undone %v after the end of the schedule", patience)) })
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
