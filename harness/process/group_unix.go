//go:build unix

package process

import "syscall"

// errNoGroup is the error of a signal to a process group that is empty.
const errNoGroup = syscall.ESRCH

// signalGroup returns nil if the process group has a process, without sending a signal.
func signalGroup(group int) error { return syscall.Kill(-group, 0) }
