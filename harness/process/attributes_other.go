//go:build !linux

package process

import "syscall"

// attributes put a node into a process group of its own, where the terminal's
// Ctrl-C does not reach it.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
