package external

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/internal/speak"
)

// defaultLimit bounds a command.
const defaultLimit = time.Minute

// ErrBooted is wrapped by the error of a second Boot: there is one cluster. It wraps target.ErrOneCluster.
var ErrBooted = fmt.Errorf("the cluster runs already: %w", target.ErrOneCluster)

// Target is a cluster that runs already. It is safe for concurrent use.
type Target struct {
	name     string
	about    described.Target
	speak    *speak.Database
	commands map[string]*command
	declares []target.Assumption
	booted   atomic.Bool
}

var _ target.Target = (*Target)(nil)

// New returns the target of that name. The error joins all mistakes of the description. It contacts no node.
func New(name string, about described.Target) (*Target, error) {
	var errs []error
	for _, problem := range about.Check() {
		errs = append(errs, fmt.Errorf("target %s: %w", name, problem))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	t := &Target{name: name, about: about, commands: make(map[string]*command)}
	limit := about.Commands.Timeout
	if limit == 0 {
		limit = defaultLimit
	}
	for name, line := range about.Commands.Lines() {
		if line == "" {
			continue
		}
		c, err := parseCommand(name, line, limit)
		if err != nil {
			return nil, err
		}
		t.commands[name] = c
	}
	for _, name := range about.Declares {
		t.declares = append(t.declares, described.Assumptions()[name])
	}
	var err error
	if t.speak, err = speak.New(about); err != nil {
		return nil, fmt.Errorf("target %s: %w", name, err)
	}
	return t, nil
}

// Boot resets the cluster if there is a command for it, and returns when every node answers. The error is a
// *target.SizeError if the cluster has another size and no command can change that.
func (t *Target) Boot(ctx context.Context, size int) (target.Cluster, error) {
	nodes := t.about.Nodes
	_, resets := t.commands["reset"]
	if size != len(nodes) && (!resets || size > len(nodes) || size < 1) {
		return nil, &target.SizeError{Asked: size, Has: len(nodes)}
	}
	if !t.booted.CompareAndSwap(false, true) {
		return nil, fmt.Errorf("boot %d nodes of target %s: %w", size, t.name, ErrBooted)
	}
	c, err := t.cluster(size)
	if err != nil {
		t.booted.Store(false)
		return nil, fmt.Errorf("boot %d nodes of target %s: %w", size, t.name, err)
	}
	if err := c.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("boot %d nodes of target %s: %w", size, t.name, err), c.Close())
	}
	return c.able(), nil
}
