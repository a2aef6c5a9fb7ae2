package harness

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// flapping cuts and mends links in turn, in a goroutine of its own.
type flapping struct {
	cluster *Cluster
	links   []fault.Link
	period  time.Duration
	cancel  context.CancelFunc
	done    chan struct{}
	flips   int   // after done
	err     error // after done
}

// Flapping cuts the links now and mends them half a period later, and so on, until stop, Heal or
// Close is called. ctx is for the first cut only. stop blocks until the links are mended, and
// returns the error that ended the flapping earlier, if any; it may be called again.
func (c *Cluster) Flapping(ctx context.Context, period time.Duration, links ...fault.Link) (stop func() error, err error) {
	if c.isClosed() {
		return nil, fmt.Errorf("flap every %v %s: %w", period, fault.LinkWords(links), ErrClosed)
	}
	const least = 2 * time.Nanosecond
	if period < least {
		return nil, fmt.Errorf("links cannot flap every %v", period)
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flapping{cluster: c.whole(), links: links, period: period, cancel: cancel, done: make(chan struct{})}
	if err := c.cut(ctx, f.String(), f.fault(), fault.Drop, links); err != nil {
		cancel()
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		cancel()
		return nil, fmt.Errorf("%v: %w", f, ErrClosed)
	}
	c.flapping[f] = true
	c.faults.Flapping = append(c.faults.Flapping, f.String())
	go f.run(running)
	return f.stop, nil
}

func (f *flapping) String() string {
	return fmt.Sprintf("flap every %v %s", f.period, fault.LinkWords(f.links))
}

func (f *flapping) run(ctx context.Context) {
	defer close(f.done)
	ticker := time.NewTicker(f.period / 2)
	defer ticker.Stop()
	f.flips = 1
	for mode := fault.Pass; f.err == nil; mode = other(mode) {
		select {
		case <-ctx.Done():
			f.end(ctx)
			return
		case <-ticker.C:
		}
		switch err := f.flip(ctx, mode); {
		case err == nil:
			f.flips++
		case ctx.Err() == nil:
			f.err = fmt.Errorf("%v, after %d flips: %w", f, f.flips, err)
		}
	}
	f.end(ctx)
}

// end leaves the links mended.
func (f *flapping) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), singleProbeTimeout)
	defer cancel()
	event := f.cluster.recordFault(journal.Ends, f.fault(), fmt.Sprintf("%d flips", f.flips))
	if err := f.flip(ctx, fault.Pass); err != nil {
		f.err = join(f.err, fmt.Errorf("mend what was to %v: %w", f, err))
	}
	event.end(f.err, nil, func(a aspect) bool { return a.what == aboutCut && slices.Contains(f.links, a.link) })
}

func (f *flapping) fault() fault.Fault {
	return fault.Fault{Kind: fault.KindFlap, Node: fault.NoNode, Links: f.links, By: f.period}
}

// flip is not written down each time: when it was, follows from the period.
func (f *flapping) flip(ctx context.Context, mode fault.Action) error {
	linker, err := f.cluster.linker()
	if err != nil {
		return err
	}
	_, err = f.cluster.changeLinks(ctx, linker, f.links, withAction(mode))
	return err
}

func (f *flapping) stop() error {
	f.cancel()
	<-f.done
	f.cluster.mu.Lock()
	defer f.cluster.mu.Unlock()
	delete(f.cluster.flapping, f)
	f.cluster.faults.stopped(f.String())
	return f.err
}

// stopFlapping stops all that flaps, and returns what went wrong with it.
func (c *Cluster) stopFlapping() error {
	c.mu.Lock()
	var all []*flapping
	for f := range c.flapping {
		all = append(all, f)
	}
	c.mu.Unlock()
	var errs []error
	for _, f := range all {
		errs = append(errs, f.stop())
	}
	return join(errs...)
}

func other(mode fault.Action) fault.Action {
	if mode == fault.Pass {
		return fault.Drop
	}
	return fault.Pass
}
