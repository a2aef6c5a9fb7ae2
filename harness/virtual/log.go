package virtual

import (
	"io"

	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// heldWriter is a writer that goroutines outside of a bubble may also use. Writing has no effect on the schedule of the
// bubble.
type heldWriter struct{ to io.Writer }

func (a heldWriter) Write(p []byte) (n int, err error) {
	replay.Hold(func() { n, err = a.to.Write(p) })
	return n, err
}
