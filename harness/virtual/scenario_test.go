package virtual_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// scenario is a recovery: a follower goes offline and comes back, then the leader.
func scenario(ctx context.Context, t target.Target, seed uint64) (c *harness.Cluster, err error) {
	c, err = harness.Boot(ctx, t, harness.Seed(seed))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.ExecuteOnRandom(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"); err != nil {
		return nil, err
	}
	leader, err := c.Leader(ctx)
	if err != nil {
		return nil, err
	}
	for _, victim := range []int{(leader + 1) % c.Size(), leader} {
		if err := c.TakeNodeOffline(ctx, victim); err != nil {
			return nil, err
		}
		for i := range 5 {
			if _, err := c.ExecuteOnRandom(ctx, "INSERT INTO t (v) VALUES (?)", fmt.Sprint(victim, i)); err != nil {
				return nil, err
			}
		}
		if err := c.BringNodeOnline(ctx, victim); err != nil {
			return nil, err
		}
		if err := c.WaitForNodeOnline(ctx, victim); err != nil {
			return nil, err
		}
	}
	if err := c.VerifyInvariants(ctx); err != nil {
		return nil, err
	}
	return c, c.VerifyDataConsistency(ctx, "SELECT * FROM t ORDER BY id")
}

func BenchmarkScenario(b *testing.B) {
	for _, pace := range []time.Duration{50 * time.Millisecond, time.Second} {
		b.Run(pace.String(), func(b *testing.B) {
			var passed time.Duration
			for seed := range b.N {
				synctest.Test(new(testing.T), func(*testing.T) {
					begun := time.Now()
					if _, err := scenario(context.Background(), virtual.New(virtual.Options{}).AtPace(pace), uint64(seed)); err != nil {
						b.Error(err)
					}
					passed += time.Since(begun)
				})
			}
			b.ReportMetric(float64(passed)/float64(b.Elapsed()), "times")
			b.ReportMetric(float64(passed.Milliseconds())/float64(b.N), "virtual-ms/op")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "scenarios/s")
		})
	}
}

const steadyWrites = 600

func BenchmarkSteadyMinute(b *testing.B) {
	for range b.N {
		synctest.Test(new(testing.T), func(*testing.T) {
			ctx := context.Background()
			c, err := harness.Boot(ctx, virtual.New(virtual.Options{Nodes: local.Options{
				SnapshotThreshold: 256, SnapshotInterval: 50 * time.Millisecond, TrailingLogs: 64,
			}}))
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			if _, err := c.ExecuteOnRandom(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)"); err != nil {
				b.Error(err)
			}
			for i := range steadyWrites {
				if err := c.Advance(ctx, 90*time.Millisecond); err != nil {
					b.Error(err)
				}
				if _, err := c.ExecuteOnRandom(ctx, "INSERT INTO t (v) VALUES (?)", i); err != nil {
					b.Error(err)
				}
			}
		})
	}
}
