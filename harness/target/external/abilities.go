package external

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
)

// able returns the cluster with the abilities that it has commands for. Each is a decorator: see target.As.
func (c *Cluster) able() target.Cluster {
	var able target.Cluster = c
	has := func(name string) bool { return c.target.commands[name] != nil }
	if has("start") {
		able = struct {
			starter
			decorator
		}{starter{c}, decorator{able}}
	}
	if has("pause") {
		able = struct {
			pauser
			decorator
		}{pauser{c}, decorator{able}}
	}
	if has("log") {
		able = struct {
			logger
			decorator
		}{logger{c}, decorator{able}}
	}
	if has("version") {
		able = struct {
			upgrader
			decorator
		}{upgrader{c}, decorator{able}}
	}
	return able
}

// decorator is a cluster around another one.
type decorator struct{ target.Cluster }

func (d decorator) Unwrap() target.Cluster { return d.Cluster }

// Why a node does not run.
const (
	stopped = "stopped"
	killed  = "killed"
	paused  = "paused"
)

type starter struct{ cluster *Cluster }

var _ target.Starter = starter{}

// Stop runs the command stop.
func (s starter) Stop(ctx context.Context, i int) error {
	n, err := s.cluster.node(i)
	if err != nil {
		return err
	}
	return n.locked(ctx, "stop", func(ctx context.Context) error {
		if away := n.isAway(); away != "" {
			return fmt.Errorf("node %s: stop: it is %s", n.ID(), away)
		}
		return n.run(ctx, "stop", nil, func() { n.away = stopped })
	})
}

// Crash runs the command kill. It does nothing to a node that does not run.
func (s starter) Crash(ctx context.Context, i int) error {
	n, err := s.cluster.node(i)
	if err != nil {
		return err
	}
	return n.locked(ctx, "kill", func(ctx context.Context) error {
		if away := n.isAway(); away == stopped || away == killed {
			return nil
		}
		return n.run(ctx, "kill", nil, func() { n.away = killed })
	})
}

// Start runs the command start, and waits until the node answers.
func (s starter) Start(ctx context.Context, i int) error {
	n, err := s.cluster.node(i)
	if err != nil {
		return err
	}
	return n.locked(ctx, "start", func(ctx context.Context) error {
		if away := n.isAway(); away != stopped && away != killed {
			return fmt.Errorf("node %s: start: it is running", n.ID())
		}
		if err := n.run(ctx, "start", nil, func() { n.away = "" }); err != nil {
			return err
		}
		if err := n.answers(ctx); err != nil {
			return fmt.Errorf("start: %w%s", err, s.cluster.saying(ctx, n))
		}
		return nil
	})
}

// saying is the end of the node's log for an error; "" if there is none.
func (c *Cluster) saying(ctx context.Context, n *node) string {
	command, given := c.target.commands["log"]
	if !given {
		return ""
	}
	text, err := command.run(context.WithoutCancel(ctx), c.subject(n.index), shownOutput)
	if err != nil {
		return "; " + err.Error()
	}
	return "; its log ends:\n" + strings.TrimSpace(text)
}

type pauser struct{ cluster *Cluster }

var _ target.Pauser = pauser{}

// Pause runs the command pause.
func (p pauser) Pause(ctx context.Context, i int) error {
	n, err := p.cluster.node(i)
	if err != nil {
		return err
	}
	return n.locked(ctx, "pause", func(ctx context.Context) error {
		switch away := n.isAway(); away {
		case paused:
			return nil
		case "":
			return n.run(ctx, "pause", nil, func() { n.away = paused })
		default:
			return fmt.Errorf("node %s: pause: it is %s", n.ID(), away)
		}
	})
}

// Resume runs the command resume.
func (p pauser) Resume(ctx context.Context, i int) error {
	n, err := p.cluster.node(i)
	if err != nil {
		return err
	}
	return n.locked(ctx, "resume", func(ctx context.Context) error {
		if n.isAway() != paused {
			return nil
		}
		return n.run(ctx, "resume", nil, func() { n.away = "" })
	})
}

type logger struct{ cluster *Cluster }

var _ target.LogReader = logger{}

// Log runs the command log, and returns the end of what it writes.
func (l logger) Log(i int, most int) (string, error) {
	n, err := l.cluster.node(i)
	if err != nil {
		return "", err
	}
	text, err := l.cluster.target.commands["log"].run(context.Background(), l.cluster.subject(i), most)
	if err != nil {
		return "", fmt.Errorf("node %s: %w", n.ID(), err)
	}
	return text, nil
}

type upgrader struct{ cluster *Cluster }

var _ target.Upgrader = upgrader{}

// Versions returns the versions of the description.
func (u upgrader) Versions() []string { return slices.Clone(u.cluster.target.about.Commands.Versions) }

// Version returns the version that the node was given last.
func (u upgrader) Version(i int) (string, error) {
	n, err := u.cluster.node(i)
	if err != nil {
		return "", err
	}
	return n.runs(), nil
}

// SetVersion runs the command version.
func (u upgrader) SetVersion(ctx context.Context, i int, version string) error {
	n, err := u.cluster.node(i)
	if err != nil {
		return err
	}
	if !slices.Contains(u.Versions(), version) {
		return fmt.Errorf("node %s: there is no version %q; the versions are %s", n.ID(), version, strings.Join(u.Versions(), ", "))
	}
	return n.locked(ctx, "version", func(ctx context.Context) error {
		if n.isAway() == "" {
			return fmt.Errorf("node %s: version: it is running", n.ID())
		}
		return n.run(ctx, "version", func(s *described.Subject) { s.Version = version }, func() { n.version = version })
	})
}
