//go:build unix

package embedded

import (
	"os"
	"syscall"
)

// errLocked is the error of a lock that another holds.
const errLocked = syscall.EWOULDBLOCK

// lockFile locks the file until it is closed. It does not wait for another lock.
func lockFile(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
