//go:build !unix

package process

import "errors"

// errNoGroup is the error of a process group that is empty.
var errNoGroup = errors.New("there are no process groups on this system")

func signalGroup(int) error { return errNoGroup }
