package programs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/internal/speak"
	"github.com/rejoin-db/rejoin/harness/target/proc"
)

// New returns the target of that name. The error joins all mistakes of the description. It starts nothing.
func New(name string, about described.Target) (target.Target, error) {
	var errs []error
	for _, problem := range about.Check() {
		errs = append(errs, fmt.Errorf("target %s: %w", name, problem))
	}
	if about.Programs == nil {
		errs = append(errs, fmt.Errorf("target %s: programs: it is missing", name))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	database, err := databaseOf(name, about)
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", name, err)
	}
	return proc.New(database, proc.Options{}), nil
}

func databaseOf(name string, about described.Target) (proc.Database, error) {
	speaks, err := speak.New(about)
	if err != nil {
		return proc.Database{}, err
	}
	p := about.Programs
	d := proc.Database{Name: name, Files: p.Files, Address: p.Address, Order: orders[p.Order]}
	if d.Vars, err = expand(p.Vars); err != nil {
		return d, err
	}
	for _, version := range p.Versions {
		vars, err := expand(version.Vars)
		if err != nil {
			return d, fmt.Errorf("version %s: %w", version.Name, err)
		}
		d.Versions = append(d.Versions, proc.Version{Name: version.Name, Vars: vars})
	}
	if d.Prepare, err = programsOf(p, p.Prepare); err != nil {
		return d, err
	}
	if d.Programs, err = programsOf(p, p.Start); err != nil {
		return d, err
	}
	for _, name := range about.Declares {
		d.Declares = append(d.Declares, described.Assumptions()[name])
	}
	d.SQL = func(n *proc.Node) (target.SQL, error) { return speaks.Connect(nodeOf(n), n.Address(), n.Dial) }
	d.Status = func(ctx context.Context, n *proc.Node) (target.Status, error) {
		return speaks.Status(ctx, speak.Asked{Node: nodeOf(n), Inside: n.Inside(), Named: func(text string) string { return named(n, text) },
			Call: func(ctx context.Context, call described.Call) (any, error) {
				caller := speaks.Caller(nodeOf(n), n.Address(), n.Dial)
				answer, err := caller.Call(ctx, call)
				return answer, errors.Join(err, caller.Close())
			}})
	}
	d.Formed = func(ctx context.Context, nodes []*proc.Node) error {
		var places []speak.Place
		for _, n := range nodes {
			places = append(places, speak.Place{Node: nodeOf(n), Address: n.Address(), Dial: n.Dial})
		}
		return speaks.SetUp(ctx, places)
	}
	return d, nil
}

var orders = map[string]proc.Order{"together": proc.Together, "first-alone": proc.FirstAlone, "one-by-one": proc.OneByOne}

var signals = map[string]os.Signal{"": syscall.SIGTERM, "TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT,
	"HUP": syscall.SIGHUP}

// nodeOf is what templates of a description see of a node.
func nodeOf(n *proc.Node) described.Node {
	return described.Node{Name: n.Name(), Address: n.Address(), Inside: n.Address(), Host: n.Host()}
}

// named returns the name of the node that a text names, by its name or an address of its host.
func named(n *proc.Node, text string) string {
	for _, peer := range append(n.View().Nodes, n.View().Peer) {
		if text == peer.Name || text == peer.Host || strings.HasPrefix(text, peer.Host+":") {
			return peer.Name
		}
	}
	return text
}

// programsOf makes programs of command lines.
func programsOf(p *described.Programs, lines []string) ([]proc.Program, error) {
	var out []proc.Program
	for _, line := range lines {
		words, err := described.Words(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		out = append(out, proc.Program{Path: words[0], Args: words[1:], Env: p.Environment, Signal: signals[p.Stop]})
	}
	return out, nil
}

// expand fills in variables of the environment.
func expand(vars map[string]string) (map[string]string, error) {
	out := make(map[string]string)
	for name, text := range vars {
		missing := ""
		out[name] = os.Expand(text, func(variable string) string {
			value, set := os.LookupEnv(variable)
			if !set {
				missing = variable
			}
			return value
		})
		if missing != "" {
			return nil, fmt.Errorf("vars: %s: the environment has no %s", name, missing)
		}
	}
	return out, nil
}
