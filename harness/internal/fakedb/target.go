package fakedb

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Target boots clusters. It is safe for concurrent use.
type Target struct {
	// Prepare is called with each cluster before Boot returns it; nil does nothing.
	Prepare func(*Cluster)
}

// Boot makes a cluster of nodes n0, n1 and so on.
func (t *Target) Boot(ctx context.Context, size int) (_ target.Cluster, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("boot %d nodes: %w", size, err)
	}
	if size < 1 {
		return nil, fmt.Errorf("cluster size %d: must be at least 1", size)
	}
	c := &Cluster{leader: -1, links: make(map[link]*linkState), answers: make(map[string]remembered)}
	for range size {
		if _, err := c.addLocked(true); err != nil {
			return nil, fmt.Errorf("boot %d nodes: %w", size, err)
		}
	}
	c.settleLocked()
	if t.Prepare != nil {
		t.Prepare(c)
	}
	return c, nil
}
