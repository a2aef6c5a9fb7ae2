//go:build unix

package external

import (
	"os/exec"
	"syscall"
)

// together makes the command and its children one group, which is killed as a whole.
func together(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}
