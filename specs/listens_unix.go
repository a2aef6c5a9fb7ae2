//go:build unix

package specs

import (
	"strconv"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// listens tells whether the socket of that descriptor waits for connections. It asks the
// socket: the system's table of sockets has those of all processes, and takes as long.
func listens(fd string) bool {
	GinkgoHelper()
	number, err := strconv.Atoi(fd)
	Expect(err).NotTo(HaveOccurred(), "an open file has no number")
	is, err := syscall.GetsockoptInt(number, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	return err == nil && is != 0 // it was closed meanwhile if there is an error
}
