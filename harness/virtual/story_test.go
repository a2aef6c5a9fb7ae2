package virtual_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

var stories = flag.Uint64("rejoin.stories", 20, "number of seeds with which TestFirstStory runs each story, from seed 1")

// TestFirstStory runs what a new user writes first, with many seeds: on a healthy cluster no comparison, and no
// statement about a new table, may fail.
func TestFirstStory(t *testing.T) {
	for name, tell := range map[string]func(context.Context, *harness.Cluster) error{
		"one node comes back": oneComesBack, "with a concurrent writer": withAWriter,
	} {
		t.Run(name, func(t *testing.T) {
			alarms := 0
			for seed := uint64(1); seed <= *stories; seed++ {
				err := inBubble(t.Context(), seed, tell)
				if err != nil {
					alarms++
					t.Errorf("seed %d: %v", seed, err)
				}
			}
			t.Logf("%d seeds, %d false alarms", *stories, alarms)
		})
	}
}

func inBubble(ctx context.Context, seed uint64, tell func(context.Context, *harness.Cluster) error) (err error) {
	bubble := virtual.Run(ctx, func(ctx context.Context) {
		var c *harness.Cluster
		if c, err = harness.Boot(ctx, virtual.New(virtual.Options{}), harness.Seed(seed)); err != nil {
			return
		}
		err = errors.Join(tell(ctx, c), c.Close())
	}, virtual.RealLimit(time.Minute))
	return errors.Join(err, bubble)
}

// oneComesBack waits for the node that was offline, and for nothing else.
func oneComesBack(ctx context.Context, c *harness.Cluster) error {
	_, err := c.ExecuteOnRandom(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
	if err != nil {
		return err
	}
	if _, err = c.Reading(target.Local).ExecuteOnAll(ctx, "SELECT * FROM t"); err != nil {
		return fmt.Errorf("read the new table: %w", err)
	}
	if err := c.TakeNodeOffline(ctx, 1); err != nil {
		return err
	}
	if _, err := c.ExecuteOnRandom(ctx, "INSERT INTO t VALUES (1, 'x')"); err != nil {
		return err
	}
	if err := errors.Join(c.BringNodeOnline(ctx, 1), c.WaitForNodeOnline(ctx, 1)); err != nil {
		return err
	}
	return c.VerifyDataConsistency(ctx, "SELECT * FROM t ORDER BY id")
}

// withAWriter repeatedly compares the nodes while a client writes.
func withAWriter(ctx context.Context, c *harness.Cluster) error {
	if _, err := c.ExecuteOnRandom(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"); err != nil {
		return err
	}
	written := make(chan error, 1)
	go func() {
		var errs []error
		for i := range 30 {
			_, err := c.ExecuteOnRandom(ctx, "INSERT INTO t VALUES (?, 'x')", i)
			errs = append(errs, err, c.Advance(ctx, time.Duration(i)*time.Millisecond))
		}
		written <- errors.Join(errs...)
	}()
	for comparisons := 0; ; comparisons++ {
		if err := c.VerifyDataConsistency(ctx, "SELECT * FROM t"); err != nil {
			return errors.Join(err, <-written)
		}
		select {
		case err := <-written:
			return err
		default:
		}
	}
}
