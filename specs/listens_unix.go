//go:build unix

package specs

import (
	"strconv"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// listens tells whether the socket with that descriptor accepts connections. It asks the
// socket, because the table of all sockets of the system takes longer to read.
func listens(fd string) bool {
	GinkgoHelper()
	number, err := strconv.Atoi(fd)
	Expect(err).NotTo(HaveOccurred(), "an open file has no number")
	is, err := syscall.GetsockoptInt(number, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	return err == nil && is != 0 // an error means that it was closed in the meantime
}
