package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// childProcess is a body: a child of this process, in a process group of its own.
type childProcess struct {
	cmd  *exec.Cmd
	node string
}

func (c *childProcess) pid() int { return c.cmd.Process.Pid }

func (c *childProcess) terminate() error { return c.signal(syscall.SIGTERM) }

func (c *childProcess) kill(context.Context) error { return c.signal(os.Kill) }

// crash is kill: what the node has not synced is in the process.
func (c *childProcess) crash(ctx context.Context) error { return c.kill(ctx) }

// signal does nothing if the process has ended.
func (c *childProcess) signal(s os.Signal) error {
	if err := c.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

func (c *childProcess) wait() (exit, left error) {
	exit = c.cmd.Wait()
	return exit, c.checkGroup()
}

// checkGroup returns an error if processes of the process's group are left.
func (c *childProcess) checkGroup() error {
	group := c.pid()
	switch err := signalGroup(group); {
	case err == nil:
		return fmt.Errorf("node %s has left processes behind, in group %d", c.node, group)
	case !errors.Is(err, errNoGroup):
		return fmt.Errorf("look for processes left by node %s, in group %d: %w", c.node, group, err)
	}
	return nil
}
