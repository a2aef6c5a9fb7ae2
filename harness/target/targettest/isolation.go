package targettest

import (
	"context"
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ofIsolation are the checks of Cluster.Isolate and Rejoin, and of the two sides of a node.
func ofIsolation() []Check {
	needs := []target.Ability{target.Isolate}
	return []Check{
		{Name: "isolates a node from its clients", Nodes: 3, Needs: needs, run: isolatesFromClients},
		{Name: "says that an isolated node is unreachable for now", Nodes: 3, Needs: needs, run: saysUnreachable},
		{Name: "acknowledges nothing without a quorum", Nodes: 3, Needs: needs, run: needsQuorum},
		{Name: "isolates a node from the other nodes", Nodes: 3, Needs: needs, run: isolatesFromNodes},
		{Name: "reaches the inside of an isolated node", Nodes: 3, Needs: needs, run: reachesInside},
		{Name: "answers local reads of the inside from the node's own state", Nodes: 3, Needs: needs, run: isLocal},
		{Name: "rejoins a node", Nodes: 3, Needs: needs, run: rejoins},
		{Name: "keeps the promise of strong reads while the leader is isolated", Nodes: 3, Needs: needs, run: isStrong},
	}
}

// isolated isolates a node while do runs, and waits until it has caught up again. It does nothing if the target cannot
// isolate nodes.
func (s *subject) isolated(ctx context.Context, i int, do func() error) error {
	if !target.Can(s.Cluster, target.Isolate) {
		return nil
	}
	if err := s.Isolate(ctx, i); err != nil {
		return wrong("Cluster.Isolate", "node %s cannot be isolated: %v", s.id(i), err)
	}
	err := do()
	if back := s.Rejoin(ctx, i); back != nil {
		return errors.Join(err, wrong("Cluster.Rejoin", "node %s cannot rejoin: %v", s.id(i), back))
	}
	if err != nil {
		return err
	}
	return s.level(ctx)
}

// ends are a leader and another node, each of which a check is about.
func (s *subject) ends(ctx context.Context) []int {
	leader := s.leader(ctx)
	return []int{(leader + 1) % len(s.Nodes()), leader}
}

func isolatesFromClients(ctx context.Context, s *subject) error {
	for _, i := range s.ends(ctx) {
		before, err := s.written(ctx, i) // existing connections must be cut too
		if err != nil {
			return wrong("Node.Client", "%v", err)
		}
		err = s.isolated(ctx, i, func() error {
			if _, err := s.written(ctx, s.others(i)...); err != nil {
				return wrong("Cluster.Isolate", "while node %s is isolated: %v", s.id(i), err)
			}
			err, late := s.obeys(ctx, func(ctx context.Context) error { return s.put(ctx, s.client(i), s.key()) })
			if late || err == nil {
				return wrong("Cluster.Isolate", "a client's write at the isolated node %s %s", s.id(i), succeededOr(late))
			}
			for _, level := range []target.Consistency{target.Local, target.Default} {
				err, late := s.obeys(ctx, func(ctx context.Context) error {
					_, err := s.has(ctx, s.client(i), level, before)
					return err
				})
				if late || err == nil {
					return wrong("Cluster.Isolate", "a client's read at the isolated node %s %s", s.id(i), succeededOr(late))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func saysUnreachable(ctx context.Context, s *subject) error {
	i := s.ends(ctx)[0]
	return s.isolated(ctx, i, func() error {
		err, _ := s.obeys(ctx, func(ctx context.Context) error {
			_, err := s.has(ctx, s.client(i), target.Default, 1)
			return err
		})
		var e *target.Error
		switch {
		case err == nil: // another check is about that
		case !errors.As(err, &e):
			return wrong("SQL.Query", "the error of a client of the isolated node %s is no *target.Error: %v", s.id(i), err)
		case !errors.Is(err, target.ErrUnreachable):
			return wrong("Error.Kind", "the error of a client of the isolated node %s has the kind %v in place of %v: %v",
				s.id(i), e.Kind, target.ErrUnreachable, err)
		case !e.Temporary:
			return wrong("Error.Temporary", "the error of a client of the isolated node %s is not temporary: %v", s.id(i), err)
		}
		return nil
	})
}

func needsQuorum(ctx context.Context, s *subject) error {
	leader := s.leader(ctx)
	away := s.others(leader)[:len(s.Nodes())/2+len(s.Nodes())%2]
	for _, i := range away {
		if err := s.Isolate(ctx, i); err != nil {
			return wrong("Cluster.Isolate", "node %s cannot be isolated: %v", s.id(i), err)
		}
	}
	key := s.key()
	err, late := s.obeys(ctx, func(ctx context.Context) error { return s.put(ctx, s.client(leader), key) })
	for _, i := range away {
		if back := s.Rejoin(ctx, i); back != nil {
			return wrong("Cluster.Rejoin", "node %s cannot rejoin: %v", s.id(i), back)
		}
	}
	if late || err == nil {
		return wrong("SQL.Query", "%d of %d nodes are isolated, and a write at node %s %s: it is acknowledged too early, or Isolate "+
			"does not cut the links between nodes", len(away), len(s.Nodes()), s.id(leader), succeededOr(late))
	}
	return s.audit(ctx, map[int64]error{key: err})
}

// succeededOr is what became of a request that should have failed.
func succeededOr(late bool) string {
	if late {
		return "does not return when its context has ended"
	}
	return "succeeded"
}

func isolatesFromNodes(ctx context.Context, s *subject) error {
	for _, i := range s.ends(ctx) {
		err := s.isolated(ctx, i, func() error {
			if err := s.hears(ctx, i); err != nil {
				return err
			}
			own := s.key()
			err, _ := s.obeys(ctx, func(ctx context.Context) error { return s.put(ctx, s.inside(i), own) })
			if err == nil {
				return wrong("Cluster.Isolate", "a write inside the isolated node %s was acknowledged: its messages reach the others, or it "+
					"needs no quorum", s.id(i))
			}
			if target.OutcomeOf(err) == target.Applied {
				return wrong("Error.Outcome", "a write inside the isolated node %s was applied by its error: %v", s.id(i), err)
			}
			return s.never(ctx, func(ctx context.Context) error {
				is, err := s.has(ctx, s.client(s.others(i)[0]), target.Local, own)
				if err == nil && is {
					return wrong("Cluster.Isolate", "the isolated node %s has sent a write to node %s", s.id(i), s.id(s.others(i)[0]))
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// hears checks that the node does not hear of a write at the others.
func (s *subject) hears(ctx context.Context, i int) error {
	first, err := s.written(ctx, s.others(i)...)
	if err != nil {
		return wrong("Cluster.Isolate", "while node %s is isolated: %v", s.id(i), err)
	}
	// What was on the way to the node when it was cut off may still come. What the others commit from now on may not.
	before, err := s.Nodes()[i].Status(ctx)
	if err != nil {
		return wrong("Node.Status", "the status of the isolated node %s cannot be read: %v", s.id(i), err)
	}
	key, err := s.written(ctx, s.others(i)...)
	if err != nil {
		return wrong("Cluster.Isolate", "while node %s is isolated: %v", s.id(i), err)
	}
	elsewhere, err := s.Nodes()[s.others(i)[0]].Status(ctx)
	known := err == nil && elsewhere.CommitIndex > before.CommitIndex && before.CommitIndex > 0
	return s.never(ctx, func(ctx context.Context) error {
		if known {
			status, err := s.Nodes()[i].Status(ctx)
			if err == nil && status.CommitIndex >= elsewhere.CommitIndex {
				return wrong("Cluster.Isolate", "the isolated node %s knows that the others have committed entry %d, so it hears them",
					s.id(i), elsewhere.CommitIndex)
			}
			return nil
		}
		for _, row := range []int64{first, key} {
			if is, err := s.has(ctx, s.inside(i), target.Local, row); err == nil && is {
				return wrong("Cluster.Isolate", "the isolated node %s shows row %d, which was written at the others meanwhile, so it hears them",
					s.id(i), row)
			}
		}
		return nil
	})
}

func reachesInside(ctx context.Context, s *subject) error {
	for _, i := range s.ends(ctx) {
		key, err := s.written(ctx, i)
		if err == nil {
			err = s.shows(ctx, i, key)
		}
		if err != nil {
			return wrong("Node.Inside", "node %s does not show its row: %v", s.id(i), err)
		}
		err = s.isolated(ctx, i, func() error {
			err := s.await(ctx, func(ctx context.Context) error {
				is, err := s.has(ctx, s.inside(i), target.Local, key)
				if err == nil && !is {
					err = errors.New("a row that it had is gone")
				}
				return err
			})
			if err != nil {
				return wrong("Node.Inside", "a local read inside the isolated node %s failed: %v", s.id(i), err)
			}
			status, err := s.Nodes()[i].Status(ctx)
			if err != nil || status.State == target.Offline {
				return wrong("Node.Status", "the status of the isolated node %s, which runs, is %q (error: %v)", s.id(i), status.State, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func isLocal(ctx context.Context, s *subject) error {
	follower := s.ends(ctx)[0]
	return s.isolated(ctx, follower, func() error {
		if _, err := s.written(ctx, s.others(follower)...); err != nil {
			return wrong("Cluster.Isolate", "while node %s is isolated: %v", s.id(follower), err)
		}
		key, err := s.written(ctx, s.others(follower)...)
		if err != nil {
			return wrong("Cluster.Isolate", "while node %s is isolated: %v", s.id(follower), err)
		}
		return s.never(ctx, func(ctx context.Context) error {
			is, err := s.has(ctx, s.inside(follower), target.Local, key)
			if err == nil && is {
				return wrong("Node.Inside", "a local read inside the isolated node %s shows a row that only the others have: it is answered by "+
					"another node, or the node hears the others (see Cluster.Isolate)", s.id(follower))
			}
			return nil
		})
	})
}

func rejoins(ctx context.Context, s *subject) error {
	for _, i := range s.ends(ctx) {
		var key int64
		err := s.isolated(ctx, i, func() (err error) {
			if key, err = s.written(ctx, s.others(i)...); err != nil {
				return wrong("Cluster.Isolate", "while node %s is isolated: %v", s.id(i), err)
			}
			return nil
		})
		if err == nil {
			err = s.shows(ctx, i, key)
		}
		if err == nil {
			_, err = s.written(ctx, i)
		}
		if err != nil {
			return wrong("Cluster.Rejoin", "after Rejoin, node %s did not catch up and take writes: %v", s.id(i), err)
		}
	}
	return nil
}

func isStrong(ctx context.Context, s *subject) error {
	leader := s.leader(ctx)
	return s.isolated(ctx, leader, func() error {
		key, err := s.written(ctx, s.others(leader)...)
		if err != nil {
			return wrong("Cluster.Isolate", "while node %s is isolated: %v", s.id(leader), err)
		}
		return s.never(ctx, func(ctx context.Context) error {
			is, err := s.has(ctx, s.inside(leader), target.Strong, key)
			if err != nil {
				return nil //nolint:nilerr // it must fail, or show the row
			}
			if !is {
				return wrong("Request.Consistency", "a strong read inside the isolated node %s misses a row that was acknowledged elsewhere: "+
					"strong is served as %s", s.id(leader), weaker(ctx, s, leader, key))
			}
			return wrong("Cluster.Isolate", "a strong read inside the isolated node %s shows a row of the others: it reaches them", s.id(leader))
		})
	})
}

// weaker names a consistency that answers the same.
func weaker(ctx context.Context, s *subject, i int, key int64) string {
	if is, err := s.has(ctx, s.inside(i), target.Local, key); err == nil && !is {
		return fmt.Sprintf("%q", target.Local)
	}
	return "a weaker one"
}
