//go:build unix

package held

import (
	"fmt"
	"strconv"
	"syscall"
)

// listens tells whether the socket with that descriptor accepts connections. It asks the
// socket, because the table of all sockets of the system takes longer to read.
func listens(fd string) (bool, error) {
	number, err := strconv.Atoi(fd)
	if err != nil {
		return false, fmt.Errorf("an open file has no number: %w", err)
	}
	is, err := syscall.GetsockoptInt(number, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	return err == nil && is != 0, nil // an error means that it was closed in the meantime
}
