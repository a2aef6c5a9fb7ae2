//go:build !linux

package main

import "syscall"

// attributes are those that there are on every system: a test outlives a command that
// is killed, until it has run.
func attributes() *syscall.SysProcAttr { return nil }
