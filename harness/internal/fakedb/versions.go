package fakedb

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// versions are those of the database, oldest first.
var versions = []string{"1.0", "1.1"}

const newest = "1.1"

// Versions returns the versions.
func (c *Cluster) Versions() []string { return slices.Clone(versions) }

// Version is the version of a node.
func (c *Cluster) Version(i int) (string, error) {
	n, leave, err := c.at(context.Background(), i, "ask for the version of")
	if err != nil {
		return "", err
	}
	defer leave()
	return n.version, nil
}

// SetVersion sets the version of a node that does not run.
func (c *Cluster) SetVersion(ctx context.Context, i int, version string) error {
	n, leave, err := c.at(ctx, i, "set the version of")
	if err != nil {
		return err
	}
	defer leave()
	switch {
	case !slices.Contains(versions, version):
		return fmt.Errorf("set the version of node %s: there is no version %s: there are %s", n.ID(), version, strings.Join(versions, ", "))
	case !n.down:
		return fmt.Errorf("set the version of node %s: it runs", n.ID())
	}
	n.version = version
	return nil
}
