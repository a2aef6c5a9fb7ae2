package virtual

import (
	"io"

	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// aside is a writer that goroutines outside of a bubble may use too. What is written,
// and how long that takes, changes nothing in the bubble.
type aside struct{ to io.Writer }

func (a aside) Write(p []byte) (n int, err error) {
	replay.Hold(func() { n, err = a.to.Write(p) })
	return n, err
}
