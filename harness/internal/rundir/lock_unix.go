//go:build unix

package rundir

import (
	"os"
	"syscall"
)

// lock locks the file until it is closed. It does not wait for another lock.
func lock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// openOwner opens an owner file, and neither follows a link nor waits for a pipe.
func openOwner(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
}
