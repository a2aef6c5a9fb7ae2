package fusefs

import (
	"errors"
	"io/fs"
	"syscall"
)

// errno returns the number in an error of the operating system, or EIO.
func errno(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if number, is := errors.AsType[syscall.Errno](err); is {
		return number
	}
	if errors.Is(err, fs.ErrNotExist) {
		return syscall.ENOENT
	}
	return syscall.EIO
}

// retry repeats a system call that a signal interrupted.
func retry(call func() error) error {
	for {
		if err := call(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
