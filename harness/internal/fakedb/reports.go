package fakedb

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ReportRoles calls a function with the changes of role.
func (c *Cluster) ReportRoles(report func(target.RoleChange)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roles = report
	for _, n := range c.nodes {
		for _, change := range n.changes {
			report(change)
		}
	}
}

// Digest is a hash of the log that the node has applied, and of what made it diverge.
func (c *Cluster) Digest(ctx context.Context, i int) (uint64, string, error) {
	n, leave, err := c.at(ctx, i, "digest")
	if err != nil {
		return 0, "", err
	}
	defer leave()
	if !n.runs() {
		return 0, "", n.away()
	}
	sum, err := n.state.digest()
	return n.applied, sum, err
}

// Remembered returns the IDs that the node has applied.
func (c *Cluster) Remembered(ctx context.Context, i int) (map[string]bool, error) {
	n, leave, err := c.at(ctx, i, "ask")
	if err != nil {
		return nil, err
	}
	defer leave()
	if !n.runs() {
		return nil, n.away()
	}
	ids := make(map[string]bool)
	for _, request := range c.log[:n.applied] {
		if request.ID != "" {
			ids[request.ID] = true
		}
	}
	return ids, nil
}

// Memory is the number of requests that are remembered.
func (c *Cluster) Memory() int { return 1 << 20 }

// Log returns the end of the node's log output.
func (c *Cluster) Log(i, most int) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i < 0 || i >= len(c.nodes) {
		return "", fmt.Errorf("read the log of node %d: the cluster has %d nodes", i, len(c.nodes))
	}
	said := c.nodes[i].said.String()
	return said[max(0, len(said)-most):], nil
}

// Files returns the names that a node's files would have.
func (c *Cluster) Files(ctx context.Context, i int) ([]string, error) {
	_, leave, err := c.at(ctx, i, "list the files of")
	if err != nil {
		return nil, err
	}
	defer leave()
	return []string{"log/1", "state"}, nil
}

// Diverge changes the rows of one node.
func (c *Cluster) Diverge(ctx context.Context, i int, sql string) error {
	n, leave, err := c.at(ctx, i, "diverge")
	if err != nil {
		return err
	}
	defer leave()
	_, err = n.state.execute(target.Request{SQL: sql})
	return err
}
