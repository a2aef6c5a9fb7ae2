package main

import "syscall"

// attributes let a test end with the thread that started it, and so with this command,
// however that ends.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
