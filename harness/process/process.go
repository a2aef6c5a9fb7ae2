package process

import (
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness/internal/inbubble"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/process/child"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Package is the import path of the nodes' program.
const Package = "github.com/rejoin-db/rejoin/harness/cmd/node"

// Options are the settings of a target. Binary is required.
type Options struct {
	// Binary returns the path of the program built from Package. It is called by Boot, so that the program can be built
	// after the target is made.
	Binary func() string
	// Versions are older versions of the program, oldest first. With them, the nodes can run several versions, of which
	// Binary is the last and is called embedded.Version.
	Versions []Version
	// Nodes are the settings of the nodes. Nodes.Log is ignored: each node logs to its own file.
	Nodes local.Options
	// Environment returns additional environment variables of a node's process, each as "NAME=value"; nil for none.
	Environment func(node string) []string
	// Logs is the parent of each cluster's directory of node logs, which is kept. If it is empty, the logs are removed
	// with the cluster.
	Logs string
}

// FromSettings returns the options for the settings. Level off becomes info: the log is shown only if a spec fails, and is
// needed then.
func FromSettings(s settings.Cluster, binary func() string) Options {
	if s.LogLevel == "off" {
		s.LogLevel = "info"
	}
	return Options{Binary: binary, Nodes: local.FromSettings(s, nil)}
}

// New returns the target of nodes on loopback. Every cluster that it boots has its own directory, ports and processes.
func New(options Options) *Target { return &Target{options: options} }

// OnHosts returns the target of nodes on hosts: see hosts.Supported. The program and Options.Nodes.Dir must not be below
// /dev/shm or /proc, because a host has its own.
func OnHosts(options Options) *Target { return &Target{options: options, hosts: true} }

// Target boots clusters of embedded nodes, each in its own process. It is safe for concurrent use.
type Target struct {
	options Options
	hosts   bool
}

var _ target.Target = (*Target)(nil)

// Boot starts size nodes, named n0, n1 and so on, and returns when all of them serve. If ctx ends before that, or a node
// cannot start, it removes all of them. In a bubble of testing/synctest the error is local.ErrInBubble.
func (t *Target) Boot(ctx context.Context, size int) (target.Cluster, error) {
	if inbubble.Own() != 0 {
		return nil, local.ErrInBubble
	}
	if err := child.CheckLogLevel(t.options.Nodes.LogLevel); err != nil {
		return nil, err
	}
	if t.options.Binary == nil {
		return nil, errors.New("the process target needs Options.Binary")
	}
	c, err := boot(ctx, t.options, t.hosts, size)
	if err != nil {
		return nil, err
	}
	if len(t.options.Versions) > 0 {
		return versioned{c}, nil
	}
	return c, nil
}
