package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Load is how a workload is run.
type Load struct {
	Workload Workload
	Clients  int           // 5 if 0
	Rate     float64       // operations a second and client; flat out if 0
	Most     int           // operations of all clients; no bound if 0
	Deadline time.Duration // of each operation; 5s if 0
	Seed     uint64
}

// Tally is what became of operations.
type Tally struct{ OK, Failed, Unknown int }

// All is how many there were.
func (t Tally) All() int { return t.OK + t.Failed + t.Unknown }

func (t Tally) String() string {
	return fmt.Sprintf("%d operations were done, %d were not, of %d nobody knows", t.OK, t.Failed, t.Unknown)
}

// Running is a load that runs. Its methods are safe for concurrent use.
type Running struct {
	load    Load
	cluster *harness.Cluster
	stop    context.CancelFunc // ends the clients, each after its operation
	going   context.Context
	done    chan struct{}
	clients sync.WaitGroup

	mu       sync.Mutex
	begun    int
	tally    Tally
	problems []error // answers that are none
}

// Start sets the workload up and starts its clients. They work until Most is
// reached, Stop or Finish is called, or ctx ends, which cuts them off. One of the two
// must be called.
func (l Load) Start(ctx context.Context, c *harness.Cluster) (*Running, error) {
	if l.Clients <= 0 {
		l.Clients = 5
	}
	if l.Deadline <= 0 {
		l.Deadline = 5 * time.Second
	}
	if err := l.Workload.Setup(ctx, c); err != nil {
		return nil, err
	}
	r := &Running{load: l, cluster: c, done: make(chan struct{})}
	r.going, r.stop = context.WithCancel(ctx)
	for client := range l.Clients {
		r.clients.Go(func() { r.client(ctx, client) })
	}
	go func() {
		r.clients.Wait()
		close(r.done)
	}()
	return r, nil
}

// Done is closed when no client works any more.
func (r *Running) Done() <-chan struct{} { return r.done }

// Stop lets the operations under way end, and blocks until they have: no longer
// than their deadline.
func (r *Running) Stop() Tally {
	r.stop()
	<-r.done
	return r.Tally()
}

// Tally is what became of the operations so far.
func (r *Running) Tally() Tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tally
}

// Finish stops the clients, waits until all nodes of the healed cluster have applied
// what was committed, and has each read what it holds. An answer that was none is an
// error.
func (r *Running) Finish(ctx context.Context) error {
	r.Stop()
	err := r.cluster.WaitForAllOnline(ctx)
	if err == nil {
		err = r.load.Workload.Final(ctx, r.cluster)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(append(r.problems, err)...)
}

// client is one client's life. After an operation of which nobody knows it goes on
// under another number: the operation may still be under way.
func (r *Running) client(ctx context.Context, number int) {
	chance := rand.New(rand.NewPCG(r.load.Seed, uint64(number)))
	pause := time.NewTimer(0)
	defer pause.Stop()
	for r.takeTurn() {
		begun := time.Now()
		outcome := r.do(ctx, number, r.load.Workload.Next(chance, number))
		if outcome == journal.Unknown {
			number += r.load.Clients
		}
		rest := r.rest(outcome, time.Since(begun), chance)
		if rest <= 0 {
			continue
		}
		pause.Reset(rest)
		select {
		case <-pause.C:
		case <-r.going.Done():
		}
	}
}

// backoff is how long a client that was refused waits before it asks again.
const backoff = 5 * time.Millisecond

// rest is how long the client rests after an operation that took so long.
func (r *Running) rest(outcome journal.Outcome, took time.Duration, chance *rand.Rand) time.Duration {
	var rest time.Duration
	if r.load.Rate > 0 {
		// Half to one and a half of the mean, so that clients do not march in step.
		rest = time.Duration((0.5+chance.Float64())/r.load.Rate*float64(time.Second)) - took
	}
	if outcome != journal.OK {
		rest = max(rest, backoff)
	}
	return rest
}

// takeTurn tells whether there is one more operation to do.
func (r *Running) takeTurn() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.load.Most > 0 && r.begun >= r.load.Most {
		r.stop()
	}
	if r.going.Err() != nil {
		return false
	}
	r.begun++
	return true
}

// do does one operation and writes it down.
func (r *Running) do(ctx context.Context, client int, o Operation) journal.Outcome {
	op := o.Op
	op.Client = client
	open := r.cluster.Journal().Invoke(op)
	ctx, cancel := context.WithTimeout(open.Context(ctx), r.load.Deadline)
	defer cancel()
	result, err := r.cluster.Reading(target.Consistency(op.Level)).ExecuteOnRandom(ctx, o.SQL, o.Args...)
	outcome := harness.OutcomeOf(err)
	if outcome == journal.Unknown && !op.Changes() {
		outcome = journal.Failed // it read nothing, and that is all there is to it
	}
	var steps []journal.Step
	if err == nil {
		if steps, err = o.read(result); err != nil {
			outcome = journal.Unknown
			r.problem(fmt.Errorf("workload %s, client %d, %s: %w", r.load.Workload.Name(), client, op, err))
		}
	}
	open.End(outcome, steps, err)
	if o.Done != nil {
		o.Done(outcome)
	}
	r.count(outcome)
	return outcome
}

func (r *Running) problem(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, err)
}

func (r *Running) count(outcome journal.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch outcome {
	case journal.OK:
		r.tally.OK++
	case journal.Failed:
		r.tally.Failed++
	default:
		r.tally.Unknown++
	}
}
