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

// Load is how a workload is run.
type Load struct {
	Workload Workload
	Clients  int           // each has one operation under way; 5 if 0
	Rate     float64       // operations a second and client, about; flat out if 0
	Most     int           // operations of all clients; no bound if 0
	Deadline time.Duration // of each operation; 5s if 0
	Seed     uint64        // where the clients' choices come from
}

// Tally is how many operations came to what.
type Tally struct{ OK, Failed, Unknown int }

// Total is how many operations have ended.
func (t Tally) Total() int { return t.OK + t.Failed + t.Unknown }

func (t Tally) String() string {
	return fmt.Sprintf("%d ok, %d failed, %d unknown", t.OK, t.Failed, t.Unknown)
}

// Running is a load whose clients work. It is safe for concurrent use.
type Running struct {
	load    Load
	cluster *harness.Cluster
	stop    context.CancelFunc
	clients sync.WaitGroup
	done    chan struct{} // closed when all clients have ended

	mu    sync.Mutex
	begun int // operations
	tally Tally
	wrong error // the first that no fault explains
}

// Start sets the workload up and starts its clients, which work until all is done,
// Stop is called or ctx ends. The end of ctx cuts off what is under way. Stop or
// Finish must follow, unless there is an error.
func (l Load) Start(ctx context.Context, c *harness.Cluster) (*Running, error) {
	switch {
	case l.Workload == nil:
		return nil, errors.New("a load needs a workload")
	case l.Clients < 0 || l.Most < 0 || l.Rate < 0 || l.Deadline < 0:
		return nil, fmt.Errorf("a load of %s cannot have less than nothing: clients %d, rate %v, most %d, deadline %v", l.Workload.Name(), l.Clients, l.Rate, l.Most, l.Deadline)
	}
	l.Clients = cmp.Or(l.Clients, 5)
	l.Deadline = cmp.Or(l.Deadline, 5*time.Second)
	if err := l.Workload.Setup(ctx, c); err != nil {
		return nil, fmt.Errorf("set up workload %s: %w", l.Workload.Name(), err)
	}
	working, stop := context.WithCancel(ctx)
	r := &Running{load: l, cluster: c, stop: stop, done: make(chan struct{})}
	for n := range l.Clients {
		r.clients.Go(func() { r.newClient(n).work(ctx, working) })
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

// Stop has the clients begin nothing more, and blocks until what is under way has
// ended, which the deadline of an operation bounds.
func (r *Running) Stop() Tally {
	r.stop()
	<-r.done
	return r.Tally()
}

// Tally is what has come of the operations so far.
func (r *Running) Tally() Tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tally
}

// Finish stops the clients, waits until all nodes of the healed cluster are online,
// and reads everything once more on each. It is an error if no operation was OK, or
// if one was answered as no fault explains, such as by an error of SQL that the
// workload did not provoke.
func (r *Running) Finish(ctx context.Context) error {
	name := r.load.Workload.Name()
	tally := r.Stop()
	if err := r.cluster.WaitForAllOnline(ctx); err != nil {
		return fmt.Errorf("finish workload %s: %w", name, err)
	}
	errs := []error{r.load.Workload.Final(ctx, r.cluster)}
	if tally.OK == 0 {
		errs = append(errs, fmt.Errorf("it proves nothing: %s", tally))
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

// note remembers what is wrong, unless something was before.
func (r *Running) note(wrong error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = cmp.Or(r.wrong, wrong)
}
