//go:build unix && !linux

package process

import "syscall"

// attributes puts a node into its own process group, where the terminal's Ctrl-C does not reach it.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
