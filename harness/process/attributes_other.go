//go:build !unix

package process

import "syscall"

// attributes returns none: Boot fails on this system.
func attributes() *syscall.SysProcAttr { return nil }
