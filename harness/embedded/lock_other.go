//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package embedded

import (
	"fmt"
	"os"
	"runtime"
)

// flock fails: a node needs a lock that the operating system releases when the process ends.
func flock(*os.File) error {
	return fmt.Errorf("a node cannot run on %s: it needs flock, as on Linux, macOS and the BSDs", runtime.GOOS)
}
