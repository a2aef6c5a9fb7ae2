//go:build !linux

package process

import "errors"

// awaitFrozen cannot tell here when a process has stopped.
func awaitFrozen(int) error {
	return errors.New("freezing a process is possible on Linux only")
}
