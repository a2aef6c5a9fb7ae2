package process

import "syscall"

// attributes puts a node into its own process group, where the terminal's Ctrl-C does not reach it, and makes the kernel
// kill it when the thread that started it ends.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
