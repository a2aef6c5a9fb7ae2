package main

import "syscall"

// attributes kills a test when the thread that started it ends, and so also when this command is killed.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
