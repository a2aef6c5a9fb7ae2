package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
)

// Load is a workload and how it runs.
type Load struct {
	Workload Workload
	Clients  int           // each has one operation at a time; default 5
	Rate     float64       // operations a second of each client, on average; 0 is as fast as possible
	Most     int           // operations of all clients; 0 is no bound
	Deadline time.Duration // of each operation; default 5s
	Seed     uint64        // of the clients' choices
	// First is the number of the first client in the journal. Loads that run one after the other on one cluster need
	// numbers of their own: a client of an earlier load may have an operation of unknown outcome.
	First int
}

// Tally counts operations by outcome.
type Tally struct{ OK, Failed, Unknown int }

// Total is the number of operations that have ended.
func (t Tally) Total() int { return t.OK + t.Failed + t.Unknown }

func (t Tally) String() string {
	return fmt.Sprintf("%d ok, %d failed, %d unknown", t.OK, t.Failed, t.Unknown)
}

// Running is a load whose clients run. It is safe for concurrent use.
type Running struct {
	load    Load
	cluster *harness.Cluster
	stop    context.CancelFunc
	clients sync.WaitGroup
	done    chan struct{} // closed when all clients have ended

	mu    sync.Mutex
	begun int // operations
	tally Tally
	wrong error // the first error that no fault explains
}

// Start sets the workload up and starts its clients, which run until all operations are done, Stop is called or
// ctx ends. The end of ctx interrupts operations that have begun. Stop or Finish must follow, unless there is
// an error.
func (l Load) Start(ctx context.Context, c *harness.Cluster) (*Running, error) {
	switch {
	case l.Workload == nil:
		return nil, errors.New("a load needs a workload")
	case l.Clients < 0 || l.Most < 0 || l.Rate < 0 || l.Deadline < 0 || l.First < 0:
		return nil, fmt.Errorf("load of %s: clients %d, rate %v, most %d, deadline %v and first %d must not be negative",
			l.Workload.Name(), l.Clients, l.Rate, l.Most, l.Deadline, l.First)
	}
	l.Clients = cmp.Or(l.Clients, 5)
	l.Deadline = cmp.Or(l.Deadline, 5*time.Second)
	if err := l.Workload.Setup(ctx, c); err != nil {
		return nil, fmt.Errorf("set up workload %s: %w", l.Workload.Name(), err)
	}
	working, stop := context.WithCancel(ctx)
	r := &Running{load: l, cluster: c, stop: stop, done: make(chan struct{})}
	for n := range l.Clients {
		r.clients.Go(func() { r.newClient(l.First+n).work(ctx, working) })
	}
	go func() {
		r.clients.Wait()
		stop()
		close(r.done)
	}()
	return r, nil
}

// Done is closed when all clients have ended.
func (r *Running) Done() <-chan struct{} { return r.done }

// Stop stops the clients, and blocks until operations that have begun are over: for the deadline of an
// operation at most.
func (r *Running) Stop() Tally {
	r.stop()
	<-r.done
	return r.Tally()
}

// Tally counts the operations so far.
func (r *Running) Tally() Tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tally
}

// Finish stops the clients, waits until all nodes of the healed cluster are online, and reads everything once
// more on each. It is an error if no operation succeeded, or if one got an answer that no fault explains, such
// as an SQL error that the workload did not provoke.
func (r *Running) Finish(ctx context.Context) error {
	name := r.load.Workload.Name()
	tally := r.Stop()
	if err := r.cluster.WaitForAllOnline(ctx); err != nil {
		return fmt.Errorf("finish workload %s: %w", name, err)
	}
	errs := []error{r.load.Workload.Final(ctx, r.cluster)}
	if tally.OK == 0 {
		errs = append(errs, fmt.Errorf("no operation succeeded: %s", tally))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := errors.Join(append(errs, r.wrong)...); err != nil {
		return fmt.Errorf("finish workload %s: %w", name, err)
	}
	return nil
}

// next tells whether another operation may begin, and counts it.
func (r *Running) next() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.load.Most > 0 && r.begun == r.load.Most {
		return false
	}
	r.begun++
	return true
}

// note keeps the first error that no fault explains.
func (r *Running) note(wrong error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = cmp.Or(r.wrong, wrong)
}
