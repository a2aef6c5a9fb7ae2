//go:build !linux

package virtual

// memoryDir returns "": the system has no directory in memory at a place that is known.
func memoryDir() string { return "" }
