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
)

type Operation struct {
	SQL  string
	Args []any
}
type Workload interface {
	Name() string
	Setup(ctx context.Context, c *harness.Cluster) error
	Next(r *rand.Rand, client int) Operation
	Final(ctx context.Context, c *harness.Cluster) error
}
type plain struct{ table string }

func Workloads(ns string) []Workload { return []Workload{plain{ns + "_a"}, plain{ns + "_b"}} }
func (p plain) Name() string         { return "stub" + p.table }
func (p plain) Setup(ctx context.Context, c *harness.Cluster) error {
	_, err := c.ExecuteOnRandom(ctx, "CREATE TABLE IF NOT EXISTS "+p.table+" (id INTEGER PRIMARY KEY, v INTEGER)")
	return err
}
func (p plain) Next(r *rand.Rand, client int) Operation {
	return Operation{SQL: "INSERT INTO " + p.table + " (v) VALUES (?)", Args: []any{r.IntN(100)}}
}
func (p plain) Final(ctx context.Context, c *harness.Cluster) error {
	_, err := c.ExecuteOnRandom(ctx, "SELECT count(*) FROM "+p.table)
	return err
}

type Load struct {
	Workload Workload
	Clients  int
	Rate     float64
	Most     int
	Deadline time.Duration
	Seed     uint64
}
type Tally struct{ OK, Failed, Unknown int }
type Running struct {
	l      Load
	c      *harness.Cluster
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	t      Tally
}

func (l Load) Start(ctx context.Context, c *harness.Cluster) (*Running, error) {
	if err := l.Workload.Setup(ctx, c); err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(ctx)
	r := &Running{l: l, c: c, cancel: cancel, done: make(chan struct{})}
	var wg sync.WaitGroup
	for i := range l.Clients {
		wg.Go(func() { r.client(run, ctx, i) })
	}
	go func() { wg.Wait(); close(r.done) }()
	return r, nil
}
func (r *Running) client(run, ctx context.Context, i int) {
	rnd := rand.New(rand.NewPCG(r.l.Seed, uint64(i)))
	for run.Err() == nil {
		r.mu.Lock()
		n := r.t.OK + r.t.Failed + r.t.Unknown
		r.mu.Unlock()
		if r.l.Most > 0 && n >= r.l.Most {
			return
		}
		op := r.l.Workload.Next(rnd, i)
		opctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		_, err := r.c.ExecuteOnRandom(opctx, op.SQL, op.Args...)
		cancel()
		r.mu.Lock()
		switch harness.OutcomeOf(err) {
		case journal.OK:
			r.t.OK++
		case journal.Failed:
			r.t.Failed++
		default:
			r.t.Unknown++
		}
		r.mu.Unlock()
		if r.l.Rate > 0 {
			select {
			case <-run.Done():
			case <-time.After(time.Duration(float64(time.Second) / r.l.Rate)):
			}
		}
	}
}
func (r *Running) Done() <-chan struct{} { return r.done }
func (r *Running) Stop() Tally           { r.cancel(); <-r.done; return r.Tally() }
func (r *Running) Tally() Tally          { r.mu.Lock(); defer r.mu.Unlock(); return r.t }
func (r *Running) Finish(ctx context.Context) error {
	r.Stop()
	if r.t.OK == 0 {
		return errors.New("nothing was done")
	}
	if err := r.l.Workload.Final(ctx, r.c); err != nil {
		return fmt.Errorf("final: %w", err)
	}
	return nil
}
