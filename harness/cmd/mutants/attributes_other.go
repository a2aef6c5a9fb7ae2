//go:build !linux

package main

import "syscall"

// attributes returns nothing: without Linux's Pdeathsig a test outlives a killed command.
func attributes() *syscall.SysProcAttr { return nil }
