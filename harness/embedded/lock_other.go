//go:build !unix

package embedded

import (
	"errors"
	"os"
)

// errLocked is the error of a lock that another holds.
var errLocked = errors.New("the directory is locked")

var errNoLock = errors.New("the embedded database needs Linux or macOS: this system cannot lock a directory")

func lockFile(*os.File) error { return errNoLock }
