//go:build !unix

package rundir

import (
	"errors"
	"os"
)

var errNoLock = errors.New("the embedded database needs Linux or macOS: this system cannot lock a directory for the life of a process")

func lock(*os.File) error { return errNoLock }

func openOwner(string) (*os.File, error) { return nil, errNoLock }
