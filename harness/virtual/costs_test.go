package virtual_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// TestApplyingTakesTime shows that nodes lag behind their commit index, unless applying costs nothing.
func TestApplyingTakesTime(t *testing.T) {
	for _, c := range []struct {
		name    string
		options virtual.Options
		behind  bool
	}{
		{"by default", virtual.Options{}, true},
		{"without costs", virtual.Options{Apply: -1, Handover: -1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				behind, err := countBehind(t.Context(), virtual.New(c.options))
				if err != nil {
					t.Fatal(err)
				}
				if (behind > 0) != c.behind {
					t.Errorf("a node was behind its commit index %d times", behind)
				}
			})
		})
	}
}

// countBehind counts how often a node is behind its commit index while rows are written.
func countBehind(ctx context.Context, t target.Target) (behind int, err error) {
	cluster, err := harness.Boot(ctx, t, harness.Seed(5))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	if err := cluster.WaitForAllOnline(ctx); err != nil {
		return 0, err
	}
	written := make(chan error, 1)
	go func() { written <- write(ctx, cluster, 20) }()
	for {
		for _, node := range cluster.Nodes() {
			if status, err := node.Status(ctx); err == nil && status.AppliedIndex < status.CommitIndex {
				behind++
			}
		}
		select {
		case err := <-written:
			return behind, err
		case <-time.After(100 * time.Microsecond):
		}
	}
}

func write(ctx context.Context, c *harness.Cluster, rows int) error {
	if _, err := c.ExecuteWithRetry(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY)"); err != nil {
		return err
	}
	for i := range rows {
		if _, err := c.ExecuteWithRetry(ctx, "INSERT INTO t VALUES (?)", i); err != nil {
			return err
		}
	}
	return nil
}
