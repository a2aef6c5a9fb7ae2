package process

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Version is a version of the nodes' program.
type Version struct {
	// Name is what the program reports as its version.
	Name string
	// Binary returns the path of the program. It is called when a node of the version starts.
	Binary func() string
}

// versioned is a cluster whose nodes can run several versions.
type versioned struct{ *Cluster }

var (
	_ target.Upgrader  = versioned{}
	_ target.Decorator = versioned{}
)

// Unwrap returns the cluster, for target.As.
func (v versioned) Unwrap() target.Cluster { return v.Cluster }

// Versions returns the names of Options.Versions, and embedded.Version.
func (v versioned) Versions() []string {
	var names []string
	for _, version := range v.options.Versions {
		names = append(names, version.Name)
	}
	return append(names, embedded.Version)
}

// Version returns the version that the node runs, or will start with.
func (v versioned) Version(i int) (string, error) {
	n, err := v.node(i)
	if err != nil {
		return "", err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if n.version == "" {
		return embedded.Version, nil
	}
	return n.version, nil
}

// SetVersion sets the version of a node that is down.
func (v versioned) SetVersion(ctx context.Context, i int, version string) error {
	n, _, leave, err := v.enter(ctx, i)
	if err != nil {
		return err
	}
	defer leave()
	if names := v.Versions(); !slices.Contains(names, version) {
		return fmt.Errorf("set the version of node %s: there is no version %q; the versions are %s", n.id, version, strings.Join(names, ", "))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if n.state != down {
		return fmt.Errorf("set the version of node %s: it is running", n.id)
	}
	n.version = version
	return nil
}

// binaryOf returns the path of the program that the node starts with.
func (c *Cluster) binaryOf(n *node) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, version := range c.options.Versions {
		if version.Name == n.version {
			return version.Binary()
		}
	}
	return c.binary
}
