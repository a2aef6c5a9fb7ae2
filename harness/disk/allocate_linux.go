package disk

import (
	"errors"
	"os"
	"syscall"
)

// allocate reserves space for the file, filled with zeros, if the file system supports it. A sync
// then need not record a new length, and takes a quarter less time.
func allocate(file *os.File, size int64) error {
	err := syscall.Fallocate(int(file.Fd()), 0, 0, size)
	if errors.Is(err, syscall.EOPNOTSUPP) {
		return nil
	}
	return err
}
