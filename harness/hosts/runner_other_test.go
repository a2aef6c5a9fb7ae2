//go:build !linux

package hosts_test

func runner(string) {}
