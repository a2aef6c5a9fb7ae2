package process

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

func (c *childProcess) freeze(ctx context.Context) error {
	if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	if err := awaitFrozen(c.pid()); err != nil {
		return errors.Join(err, c.thaw(ctx))
	}
	return nil
}

func (c *childProcess) thaw(context.Context) error { return c.signal(syscall.SIGCONT) }

// awaitFrozen blocks until every thread of a child process has stopped after SIGSTOP. It leaves the child's status to
// other calls of wait.
func awaitFrozen(pid int) error {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ECHILD), err == nil && info.Code != cldStopped:
			return errors.New("its process has ended")
		case err != nil:
			return fmt.Errorf("wait until it is frozen: %w", err)
		default:
			return nil
		}
	}
}

// cldStopped is the kernel's code CLD_STOPPED, for a child that was stopped by a signal.
const cldStopped = 5
