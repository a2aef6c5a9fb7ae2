package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/plain"
)

// builtIn are the targets that the command can start, besides those that the file describes. Virtual is named to be refused with
// the reason.
var builtIn = []string{"local", "process", "hosts", "virtual"}

// calm is the election timeout in place of the default, which is that of specs: people want to see a leader for longer than that, also
// on a machine that is busy.
const calm = 300 * time.Millisecond

// targetOf returns the target of the settings, and how many nodes its cluster has. remove removes what was built for it.
func targetOf(ctx context.Context, s settings.Settings, token string) (over target.Target, nodes int, remove func() error, err error) {
	none := func() error { return nil }
	if s.Cluster.ElectionTimeout == settings.Default().Cluster.ElectionTimeout {
		s.Cluster.ElectionTimeout = calm
	}
	options := local.FromSettings(s.Cluster, os.Stderr)
	options.Token = token
	switch s.Cluster.Target {
	case "local":
		return local.New(options), s.Cluster.Nodes, none, nil
	case "process", "hosts":
		if s.Cluster.Target == "hosts" {
			if err := hosts.Supported(); err != nil {
				return nil, 0, nil, err
			}
		}
		binary, remove, err := process.Build(ctx)
		if err != nil {
			return nil, 0, nil, err
		}
		own := process.FromSettings(s.Cluster, func() string { return binary })
		own.Nodes.Token = token
		if s.Cluster.Target == "hosts" {
			return process.OnHosts(own), s.Cluster.Nodes, remove, nil
		}
		return process.New(own), s.Cluster.Nodes, remove, nil
	case "virtual":
		return nil, 0, nil, errors.New("virtual time only passes while nothing happens, so there is nothing to play with: " +
			"take local, process or hosts")
	}
	over, about, alone, err := plain.New(s)
	if err != nil {
		return nil, 0, nil, fmt.Errorf("target %s: %w", s.Cluster.Target, err)
	}
	nodes = s.Cluster.Nodes
	if alone {
		nodes = len(about.Nodes)
	}
	return over, nodes, none, nil
}
