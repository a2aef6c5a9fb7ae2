package targettest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ofOutcomes are the checks of what errors say, and when.
func ofOutcomes() []Check {
	return []Check{
		{Name: "is honest about writes while a node is isolated", Nodes: 3, Needs: []target.Ability{target.Isolate}, run: honest(fault.Isolate)},
		{Name: "is honest about writes while a node is stopped", Nodes: 3, Needs: []target.Ability{target.Stop}, run: honest(fault.Stop)},
		{Name: "is honest about writes while a node is crashed", Nodes: 3, Needs: []target.Ability{target.Crash}, run: honest(fault.Crash)},
		{Name: "is honest about writes while a node is paused", Nodes: 3, Needs: []target.Ability{target.Pause}, run: honest(fault.Pause)},
		{Name: "is honest about a write whose answer is lost", Nodes: 3, Needs: []target.Ability{target.Links}, run: honestWithoutAnswer},
		{Name: "obeys a context that ends", run: obeysContext},
		{Name: "obeys a context that ends at an isolated node", Nodes: 3, Needs: []target.Ability{target.Isolate}, run: obeysIsolated},
		{Name: "obeys a context that ends at a paused node", Needs: []target.Ability{target.Pause}, run: obeysPaused},
	}
}

// lose makes a node go away, and returns what brings it back.
func (s *subject) lose(ctx context.Context, i int, mode fault.Mode) (back func() error, err error) {
	starter, _ := target.As[target.Starter](s.Cluster)
	pauser, _ := target.As[target.Pauser](s.Cluster)
	switch mode {
	case fault.Isolate:
		return func() error { return s.Rejoin(ctx, i) }, s.Isolate(ctx, i)
	case fault.Stop:
		return func() error { return starter.Start(ctx, i) }, starter.Stop(ctx, i)
	case fault.Crash:
		return func() error { return starter.Start(ctx, i) }, starter.Crash(ctx, i)
	case fault.Pause:
		return func() error { return pauser.Resume(ctx, i) }, pauser.Pause(ctx, i)
	}
	return nil, fmt.Errorf("there is no failure mode %q", mode)
}

// writers write keys at all nodes at once, and note what became of each.
type writers struct {
	s    *subject
	mu   sync.Mutex
	acks []int // by node
	keys map[int64]error
	wg   sync.WaitGroup
	stop context.CancelFunc
}

// writersEach is how many clients write at each node.
const writersEach = 4

func (s *subject) write(ctx context.Context) *writers {
	ctx, stop := context.WithCancel(ctx)
	w := &writers{s: s, acks: make([]int, len(s.Nodes())), keys: make(map[int64]error), stop: stop}
	for i := range s.Nodes() {
		for range writersEach {
			w.wg.Go(func() { w.run(ctx, i) })
		}
	}
	return w
}

func (w *writers) run(ctx context.Context, i int) {
	for ctx.Err() == nil {
		key := w.s.key()
		once, end := context.WithTimeout(context.WithoutCancel(ctx), step)
		err := w.s.put(once, w.s.client(i), key)
		end()
		w.mu.Lock()
		w.keys[key] = err
		if err == nil {
			w.acks[i]++
		}
		w.mu.Unlock()
		if err != nil {
			timer := time.NewTimer(time.Millisecond) // a node that is away refuses at once
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
			}
		}
	}
}

// more waits until each of the nodes has acknowledged a few writes more.
func (w *writers) more(ctx context.Context, nodes ...int) error {
	const few = 5
	w.mu.Lock()
	before := append([]int(nil), w.acks...)
	w.mu.Unlock()
	return w.s.await(ctx, func(context.Context) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, i := range nodes {
			if w.acks[i] < before[i]+few {
				return fmt.Errorf("node %s has acknowledged %d writes", w.s.id(i), w.acks[i]-before[i])
			}
		}
		return nil
	})
}

func (w *writers) end() {
	w.stop()
	w.wg.Wait()
}

func honest(mode fault.Mode) func(context.Context, *subject) error {
	return func(ctx context.Context, s *subject) error {
		w := s.write(ctx)
		defer w.end()
		for _, i := range s.ends(ctx) {
			if err := w.more(ctx, s.others(-1)...); err != nil {
				return wrong("Node.Client", "sound nodes take no writes: %v", err)
			}
			back, err := s.lose(ctx, i, mode)
			if err != nil {
				return wrong(methods[mode][0], "node %s cannot be %s: %v", s.id(i), mode.Past(), err)
			}
			err = w.more(ctx, s.others(i)...)
			if err != nil {
				err = wrong(methods[mode][0], "with node %s %s, the others take no writes: %v", s.id(i), mode.Past(), err)
			}
			if failed := back(); failed != nil {
				return errors.Join(err, wrong(methods[mode][1], "node %s, which was %s, cannot be brought back: %v", s.id(i), mode.Past(), failed))
			}
			if err != nil {
				return err
			}
			if err := w.more(ctx, i); err != nil {
				return wrong(methods[mode][1], "node %s, which was %s, takes no writes after it was brought back: %v", s.id(i), mode.Past(), err)
			}
		}
		w.end()
		return s.audit(ctx, w.keys)
	}
}

// methods are those that lose a node and bring it back.
var methods = map[fault.Mode][2]string{
	fault.Isolate: {"Cluster.Isolate", "Cluster.Rejoin"}, fault.Stop: {"Starter.Stop", "Starter.Start"},
	fault.Crash: {"Starter.Crash", "Starter.Start"}, fault.Pause: {"Pauser.Pause", "Pauser.Resume"},
}

// audit compares what became of keys with what their errors say, on every node.
func (s *subject) audit(ctx context.Context, keys map[int64]error) error {
	if err := s.level(ctx); err != nil {
		return err
	}
	for i := range s.Nodes() {
		there := make(map[int64]bool)
		err := s.await(ctx, func(ctx context.Context) error {
			answer, err := s.ask(ctx, s.inside(i), target.Request{SQL: "SELECT k FROM " + table, Consistency: target.Local})
			if err != nil {
				return err
			}
			for _, row := range answer[0] {
				key, is := row[0].(int64)
				if !is {
					return fmt.Errorf("an INTEGER is read as %T", row[0])
				}
				there[key] = true
			}
			return nil
		})
		if err != nil {
			return wrong("Node.Inside", "the rows of node %s cannot be read: %v", s.id(i), err)
		}
		for key, err := range keys {
			outcome := target.OutcomeOf(err)
			switch {
			case err == nil && !there[key]:
				return wrong("SQL.Query", "row %d was acknowledged, and is not on node %s", key, s.id(i))
			case outcome == target.Applied && !there[key]:
				return wrong("Error.Outcome", "row %d was applied by its error, and is not on node %s: %v", key, s.id(i), err)
			case outcome == target.NotApplied && there[key]:
				return wrong("Error.Outcome", "row %d was not applied by its error, and is on node %s: %v", key, s.id(i), err)
			}
		}
	}
	return nil
}

func honestWithoutAnswer(ctx context.Context, s *subject) error {
	links, _ := target.As[target.LinkFaulter](s.Cluster)
	for _, i := range s.ends(ctx) {
		if _, err := s.written(ctx, i); err != nil {
			return wrong("Node.Client", "%v", err)
		}
		if err := links.SetLink(ctx, i, fault.Clients, fault.Rule{Action: fault.Drop}); err != nil {
			return wrong("LinkFaulter.SetLink", "the link from node %s to clients cannot be cut: %v", s.id(i), err)
		}
		keys := make(map[int64]error)
		for range 3 {
			key := s.key()
			err, late := s.obeys(ctx, func(ctx context.Context) error { return s.put(ctx, s.client(i), key) })
			if late {
				return wrong("SQL.Query", "a write whose answer is lost does not return when its context has ended")
			}
			keys[key] = err
		}
		if err := links.SetLink(ctx, i, fault.Clients, fault.Rule{}); err != nil {
			return wrong("LinkFaulter.SetLink", "the link from node %s to clients cannot be mended: %v", s.id(i), err)
		}
		if err := s.audit(ctx, keys); err != nil {
			return err
		}
	}
	return nil
}

// calls are those that are made of a node that may not answer.
func (s *subject) calls(i int) map[string]func(context.Context) error {
	read := func(sql target.SQL, level target.Consistency) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := s.has(ctx, sql, level, 1)
			return err
		}
	}
	return map[string]func(context.Context) error{
		"Node.Client of a write":      func(ctx context.Context) error { return s.put(ctx, s.client(i), s.key()) },
		"Node.Client of a read":       read(s.client(i), target.Default),
		"Node.Inside of a write":      func(ctx context.Context) error { return s.put(ctx, s.inside(i), s.key()) },
		"Node.Inside of a local read": read(s.inside(i), target.Local),
		"Node.Inside of a strong one": read(s.inside(i), target.Strong),
		"Node.Status": func(ctx context.Context) error {
			_, err := s.Nodes()[i].Status(ctx)
			return err
		},
	}
}

// obeyed checks that all calls of a node return soon after the end of their contexts.
func (s *subject) obeyed(ctx context.Context, i int, state string) error {
	type ended struct {
		what string
		late bool
	}
	calls := s.calls(i)
	all := make(chan ended, len(calls))
	for what, call := range calls {
		go func() { // obeys bounds it
			_, late := s.obeys(ctx, call)
			all <- ended{what, late}
		}()
	}
	var late error
	for range calls {
		if e := <-all; e.late {
			late = wrong(e.what, "of a node that %s did not return within %v after its context had ended", state, hang)
		}
	}
	return late
}

func obeysContext(ctx context.Context, s *subject) error {
	ended, end := context.WithCancel(ctx)
	end()
	key := s.key()
	err, late := s.obeys(ctx, func(context.Context) error { return s.put(ended, s.client(0), key) })
	switch {
	case late:
		return wrong("SQL.Query", "a request whose context had ended did not return within %v", hang)
	case err == nil:
		return wrong("SQL.Query", "a request whose context had ended succeeded")
	}
	return s.audit(ctx, map[int64]error{key: err})
}

func obeysIsolated(ctx context.Context, s *subject) error {
	for _, i := range s.ends(ctx) {
		if err := s.isolated(ctx, i, func() error { return s.obeyed(ctx, i, "is isolated") }); err != nil {
			return err
		}
	}
	return nil
}

func obeysPaused(ctx context.Context, s *subject) error {
	pauser, _ := target.As[target.Pauser](s.Cluster)
	i := s.ends(ctx)[0]
	if err := pauser.Pause(ctx, i); err != nil {
		return wrong("Pauser.Pause", "node %s cannot be paused: %v", s.id(i), err)
	}
	err := s.obeyed(ctx, i, "is paused")
	if back := pauser.Resume(ctx, i); back != nil {
		return errors.Join(err, wrong("Pauser.Resume", "node %s cannot be resumed: %v", s.id(i), back))
	}
	return err
}
