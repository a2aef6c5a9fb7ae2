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

// Package is the import path of the program that a node is, for who builds it.
const Package = "github.com/rejoin-db/rejoin/harness/cmd/node"

// Options are the settings of a target. Binary must be given.
type Options struct {
	// Binary is the path of the program built from Package. It is asked for when a
	// cluster boots, so that it can be built after the target is made.
	Binary func() string
	// Nodes are the settings of the nodes. Log has no meaning here: what a node
	// says goes to a file of its own.
	Nodes local.Options
	// Environment is what the process of a node has in its environment besides what
	// this process has, each as "NAME=value". If nil, nothing.
	Environment func(node string) []string
	// Logs is where each cluster makes a directory for its nodes' logs, which
	// stays. If empty, the logs go with the cluster.
	Logs string
}

// FromSettings are the options that the settings ask for. Where these want no log,
// a node writes down to info all the same: nobody sees it unless a spec fails, and
// then it is wanted.
func FromSettings(s settings.Cluster, binary func() string) Options {
	if s.LogLevel == "off" {
		s.LogLevel = "info"
	}
	return Options{Binary: binary, Nodes: local.FromSettings(s, nil)}
}

// New returns the target. Every cluster it boots has its own directory, ports
// and processes.
func New(options Options) *Target { return &Target{options} }

// Target boots clusters of embedded nodes, each a process. It is safe for
// concurrent use.
type Target struct{ options Options }

var _ target.Target = (*Target)(nil)

// Boot starts size nodes, named n0, n1 and so on, and returns when all of them
// serve. If ctx ends before, or one of them cannot start, nothing is left.
// In a bubble of testing/synctest the error is local.ErrInBubble.
func (t *Target) Boot(ctx context.Context, size int) (target.Cluster, error) {
	if inbubble.Own() != 0 {
		return nil, local.ErrInBubble
	}
	if err := child.CheckLogLevel(t.options.Nodes.LogLevel); err != nil {
		return nil, err
	}
	if t.options.Binary == nil {
		return nil, errors.New("the process target was given no Binary to run")
	}
	c, err := boot(ctx, t.options, size)
	if err != nil {
		return nil, err
	}
	return c, nil
}
