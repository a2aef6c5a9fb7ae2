package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Pause sends SIGSTOP, and returns when every thread of the process stands still.
// A node that is paused already stays so.
func (c *Cluster) Pause(ctx context.Context, node int) error {
	n, _, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	c.mu.Lock()
	life, state := n.life, n.state
	c.mu.Unlock()
	switch state {
	case paused:
		return nil
	case down, starting:
		return fmt.Errorf("pause node %s: it does not run", n.id)
	}
	if err := life.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("pause node %s: %w", n.id, err)
	}
	if err := awaitFrozen(life.cmd.Process.Pid); err != nil {
		return fmt.Errorf("pause node %s: %w", n.id, errors.Join(err, life.thaw()))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.state == running { // and did not end in this moment
		n.state = paused
	}
	return nil
}

// Resume sends SIGCONT, and returns when the node has followed what it could not
// hear in its sleep. In between it runs for a moment with the links, disk and
// clock that it had.
func (c *Cluster) Resume(ctx context.Context, node int) error {
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	c.mu.Lock()
	life, was := n.life, n.state
	if was == paused {
		n.state = running
	}
	c.mu.Unlock()
	switch {
	case was == running:
		return nil
	case was != paused:
		return fmt.Errorf("resume node %s: it does not run", n.id)
	}
	if err := life.thaw(); err != nil {
		return fmt.Errorf("resume node %s: %w", n.id, err)
	}
	return n.tellInTurn(ctx)
}

// thaw lets a frozen process run. One that has ended needs it no more.
func (l *life) thaw() error {
	if err := l.cmd.Process.Signal(syscall.SIGCONT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}
