package targettest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/held"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ofEnds are the checks of Target.Boot and Cluster.Close.
func ofEnds() []Check {
	return []Check{
		{Name: "boots two clusters that do not see each other", Alone: true, run: bootsTwo},
		{Name: "leaves nothing of a boot whose context has ended", Alone: true, run: bootsInVain},
		{Name: "refuses to boot a cluster without nodes", Alone: true, run: bootsNone},
		{Name: "closes in the middle of requests, and leaves nothing", Alone: true, run: closesBusy},
		{Name: "closes with nodes lost, and leaves nothing", Alone: true, run: closesLost},
		{Name: "closes twice", Alone: true, run: closesTwice},
	}
}

// leftTimeout bounds how long after Close the last resources of a cluster may be held.
const leftTimeout = 5 * time.Second

// leavesNothing runs do, and checks that it has left nothing.
func leavesNothing(ctx context.Context, o Options, method string, do func() error) error {
	if err := o.Quiet(); err != nil {
		return fmt.Errorf("quiet this process before the check: %w", err)
	}
	before, err := heldBy(o)
	if err != nil {
		return err
	}
	goroutines := gleak.Goroutines()
	if err := do(); err != nil {
		return err
	}
	o.Patience = min(o.Patience, leftTimeout)
	waiting := subject{o: o}
	err = waiting.await(ctx, func(context.Context) error {
		now, err := heldBy(o)
		if err != nil {
			return err
		}
		if left := now.Without(before); len(left) > 0 {
			return errors.New(strings.Join(left, ", "))
		}
		leaked, running := gleak.HaveLeaked(goroutines), gleak.Goroutines()
		has, err := leaked.Match(running)
		if err == nil && has {
			err = errors.New(leaked.FailureMessage(running))
		}
		return err
	})
	if err != nil {
		return wrong(method, "something is left when all is over: %v", err)
	}
	return nil
}

// heldBy is what the process holds, and what is in the folder of the target's files.
func heldBy(o Options) (held.Resources, error) {
	now, err := held.Now()
	if err != nil || o.Dir == "" {
		return now, err
	}
	entries, err := os.ReadDir(o.Dir)
	for _, e := range entries {
		now["file "+filepath.Join(o.Dir, e.Name())] = true
	}
	return now, err
}

func bootsTwo(ctx context.Context, s *subject) error {
	second, err := boot(ctx, s.t, s.o)
	if skipped := (*Skipped)(nil); errors.As(err, &skipped) {
		return err
	}
	if err != nil {
		return fmt.Errorf("a second cluster beside the first: %w", err)
	}
	err = sideBySide(ctx, s, second)
	if err = errors.Join(err, second.shut()); err != nil {
		return err
	}
	if err := s.level(ctx); err != nil {
		return wrong("Cluster.Close", "after another cluster was closed: %v", err)
	}
	return nil
}

// sideBySide checks that clusters do not see each other's rows and faults.
func sideBySide(ctx context.Context, first, second *subject) error {
	first.last.Store(1000) // so that their keys differ
	key, err := first.written(ctx, 0)
	if err == nil {
		err = second.level(ctx)
	}
	if err != nil {
		return wrong("Target.Boot", "of two clusters, one takes no writes: %v", err)
	}
	for i := range second.Nodes() {
		if is, err := second.has(ctx, second.inside(i), target.Local, key); err != nil || is {
			return wrong("Target.Boot", "node %s of a second cluster shows a row of the first: %t (error: %v)", second.id(i), is, err)
		}
	}
	i := len(first.Nodes()) - 1
	return first.isolated(ctx, i, func() error {
		_, err := second.has(ctx, second.client(i), target.Local, 1)
		if err == nil {
			err = second.level(ctx)
		}
		if err != nil {
			return wrong("Cluster.Isolate", "node %s of one cluster is isolated, and that of another is hit: %v", first.id(i), err)
		}
		return nil
	})
}

func bootsInVain(ctx context.Context, s *subject) error {
	if err := s.shut(); err != nil {
		return err
	}
	return leavesNothing(ctx, s.o, "Target.Boot", func() error {
		ended, end := context.WithCancel(ctx)
		end()
		done := make(chan error, 1)
		go func() {
			c, err := s.t.Boot(ended, s.o.Nodes)
			if err == nil {
				err = c.Close()
			} else {
				err = nil
			}
			done <- err
		}()
		select {
		case err := <-done:
			return err
		case <-time.After(s.o.Patience):
			return wrong("Target.Boot", "a boot whose context had ended did not return within %v", s.o.Patience)
		}
	})
}

func bootsNone(ctx context.Context, s *subject) error {
	c, err := s.t.Boot(ctx, 0)
	if err == nil {
		return errors.Join(wrong("Target.Boot", "a cluster of 0 nodes was booted: the smallest has 1"), c.Close())
	}
	return nil
}

// closesBusy closes a cluster while clients write at all nodes.
func closesBusy(ctx context.Context, s *subject) error {
	if err := s.shut(); err != nil {
		return err
	}
	return leavesNothing(ctx, s.o, "Cluster.Close", func() error {
		busy, err := boot(ctx, s.t, s.o)
		if err != nil {
			return err
		}
		w := busy.write(ctx)
		err = w.more(ctx, busy.others(-1)...)
		if err = errors.Join(err, busy.shut()); err != nil {
			w.end()
			return err
		}
		ended := make(chan struct{})
		go func() { w.end(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(step + hang):
			return wrong("Cluster.Close", "requests that were under way when the cluster was closed do not return when their contexts have ended")
		}
		err, late := busy.obeys(ctx, func(ctx context.Context) error { return busy.put(ctx, busy.client(0), busy.key()) })
		if late || err == nil {
			return wrong("Cluster.Close", "the cluster is closed, and a write %s", succeededOr(late))
		}
		return nil
	})
}

// closesLost closes a cluster whose nodes are isolated, stopped or paused.
func closesLost(ctx context.Context, s *subject) error {
	if err := s.shut(); err != nil {
		return err
	}
	return leavesNothing(ctx, s.o, "Cluster.Close", func() error {
		broken, err := boot(ctx, s.t, s.o)
		if err != nil {
			return err
		}
		for i := range broken.Nodes() {
			if !target.Can(broken.Cluster, target.Isolate) {
				break
			}
			if err = broken.Isolate(ctx, i); err != nil {
				err = wrong("Cluster.Isolate", "node %s cannot be isolated: %v", broken.id(i), err)
				break
			}
		}
		if pauser, can := target.As[target.Pauser](broken.Cluster); can && err == nil {
			if err = pauser.Pause(ctx, 0); err != nil {
				err = wrong("Pauser.Pause", "an isolated node cannot be paused: %v", err)
			}
		}
		return errors.Join(err, broken.shut())
	})
}

func closesTwice(ctx context.Context, s *subject) error {
	if err := s.shut(); err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		wg.Go(func() {
			var late bool
			if errs[i], late = s.obeys(ctx, func(context.Context) error { return closeAgain(s) }); late {
				errs[i] = errors.New("it does not return")
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return wrong("Cluster.Close", "a second Close must do nothing: %v", err)
	}
	return nil
}

func closeAgain(s *subject) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return s.Close()
}
