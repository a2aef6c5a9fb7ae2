//go:build !linux

package process

import "errors"

// awaitFrozen returns an error: this system does not report when a process has stopped.
func awaitFrozen(int) error {
	return errors.New("pausing a process is supported on Linux only")
}
