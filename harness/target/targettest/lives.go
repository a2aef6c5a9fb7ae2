package targettest

import (
	"context"
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ofLives are the checks of Starter and Pauser.
func ofLives() []Check {
	return []Check{
		{Name: "stops and starts a node", Nodes: 3, Needs: []target.Ability{target.Stop}, run: goesAway(fault.Stop)},
		{Name: "crashes and starts a node", Nodes: 3, Needs: []target.Ability{target.Crash}, run: goesAway(fault.Crash)},
		{Name: "pauses and resumes a node", Nodes: 3, Needs: []target.Ability{target.Pause}, run: goesAway(fault.Pause)},
		{Name: "takes a second pause and a second resume", Needs: []target.Ability{target.Pause}, run: pausesTwice},
		{Name: "crashes a paused node", Nodes: 3, Needs: []target.Ability{target.Pause, target.Crash}, run: crashesPaused},
		{Name: "keeps what was acknowledged when all nodes crash", Needs: []target.Ability{target.Crash}, run: crashesAll},
	}
}

func goesAway(mode fault.Mode) func(context.Context, *subject) error {
	return func(ctx context.Context, s *subject) error {
		for _, i := range s.ends(ctx) {
			id := s.id(i)
			before, err := s.written(ctx, i)
			if err != nil {
				return wrong("Node.Client", "%v", err)
			}
			back, err := s.lose(ctx, i, mode)
			if err != nil {
				return wrong(methods[mode][0], "node %s cannot be %s: %v", id, mode.Past(), err)
			}
			key, err := s.away(ctx, i, mode)
			if failed := back(); failed != nil {
				return errors.Join(err, wrong(methods[mode][1], "node %s, which was %s, cannot be brought back: %v", id, mode.Past(), failed))
			}
			if err != nil {
				return err
			}
			if now := s.id(i); now != id {
				return wrong("Node.ID", "node %s is %s after it was %s and brought back", id, now, mode.Past())
			}
			for _, row := range []int64{before, key} {
				if err := s.shows(ctx, i, row); err != nil {
					return wrong(methods[mode][1], "node %s, which was %s, did not catch up: %v", id, mode.Past(), err)
				}
			}
			if _, err := s.written(ctx, i); err != nil {
				return wrong(methods[mode][1], "node %s, which was %s, takes no writes: %v", id, mode.Past(), err)
			}
			if err := s.level(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// away checks that a node is away, and that the others go on. It returns a row that they have written.
func (s *subject) away(ctx context.Context, i int, mode fault.Mode) (key int64, err error) {
	id := s.id(i)
	for _, side := range []struct {
		name string
		sql  target.SQL
	}{{"client", s.client(i)}, {"inside", s.inside(i)}} {
		err, late := s.obeys(ctx, func(ctx context.Context) error {
			_, err := s.has(ctx, side.sql, target.Local, 1)
			return err
		})
		if late || err == nil {
			return 0, wrong(methods[mode][0], "node %s was %s, and a read by its %s %s", id, mode.Past(), side.name, succeededOr(late))
		}
	}
	var status target.Status
	err, late := s.obeys(ctx, func(ctx context.Context) (err error) {
		answer, err := s.Nodes()[i].Status(ctx)
		if err == nil {
			status = answer
		}
		return err
	})
	switch {
	case late:
		return 0, wrong("Node.Status", "of node %s, which was %s, does not return when its context has ended", id, mode.Past())
	case err == nil && status.State != target.Offline:
		return 0, wrong("Node.Status", "node %s was %s, and is %q by its status in place of %q", id, mode.Past(), status.State, target.Offline)
	}
	if key, err = s.written(ctx, s.others(i)...); err != nil {
		return 0, wrong(methods[mode][0], "with node %s %s: %v", id, mode.Past(), err)
	}
	return key, nil
}

func pausesTwice(ctx context.Context, s *subject) error {
	pauser, _ := target.As[target.Pauser](s.Cluster)
	for range 2 {
		if err := pauser.Pause(ctx, 0); err != nil {
			return wrong("Pauser.Pause", "a node that is paused again must stay paused: %v", err)
		}
	}
	for range 2 {
		if err := pauser.Resume(ctx, 0); err != nil {
			return wrong("Pauser.Resume", "a node that is resumed again must go on: %v", err)
		}
		if err := s.level(ctx); err != nil {
			return wrong("Pauser.Resume", "a node that was paused twice and resumed does not go on: %v", err)
		}
	}
	return nil
}

func crashesPaused(ctx context.Context, s *subject) error {
	pauser, _ := target.As[target.Pauser](s.Cluster)
	starter, _ := target.As[target.Starter](s.Cluster)
	i := s.ends(ctx)[0]
	if err := pauser.Pause(ctx, i); err != nil {
		return wrong("Pauser.Pause", "node %s cannot be paused: %v", s.id(i), err)
	}
	if err := starter.Crash(ctx, i); err != nil {
		return errors.Join(wrong("Starter.Crash", "node %s, which is paused, cannot be crashed: %v", s.id(i), err), pauser.Resume(ctx, i))
	}
	if err := starter.Start(ctx, i); err != nil {
		return wrong("Starter.Start", "node %s, which crashed while it was paused, cannot be started: %v", s.id(i), err)
	}
	if err := s.level(ctx); err != nil {
		return wrong("Starter.Start", "node %s, which crashed while it was paused, does not come back: %v", s.id(i), err)
	}
	return nil
}

func crashesAll(ctx context.Context, s *subject) error {
	starter, _ := target.As[target.Starter](s.Cluster)
	keys := make(map[int64]error)
	for i := range s.Nodes() {
		for range 3 {
			key, err := s.written(ctx, i)
			if err != nil {
				return wrong("Node.Client", "%v", err)
			}
			keys[key] = nil
		}
	}
	for i := range s.Nodes() {
		if err := starter.Crash(ctx, i); err != nil {
			return wrong("Starter.Crash", "node %s cannot be crashed: %v", s.id(i), err)
		}
	}
	starts := make(chan error, len(s.Nodes()))
	for i := range s.Nodes() {
		go func() {
			err := starter.Start(ctx, i)
			if err != nil {
				err = fmt.Errorf("node %s: %w", s.id(i), err)
			}
			starts <- err
		}()
	}
	var failed error
	for range s.Nodes() {
		failed = errors.Join(failed, <-starts)
	}
	if failed != nil {
		return wrong("Starter.Start", "after all nodes had crashed: %v", failed)
	}
	return s.audit(ctx, keys)
}
