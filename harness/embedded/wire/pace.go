package wire

import "time"

const (
	// The first rows leave early, so that a client sees at once that there is
	// an answer; later ones in chunks that make the cost of a write small.
	firstRows  = 8
	firstChunk = 4 << 10
	laterChunk = 32 << 10

	// slow is how long a row may wait for others to leave with it.
	slow = 5 * time.Millisecond

	// maxStride is after how many rows the clock is read again while rows come
	// fast: as many as may be held back when they then come slowly.
	maxStride = 16
)

// pace decides when what a Writer holds is sent.
type pace struct {
	last   time.Time // when something was sent, or the answer began
	rows   int       // rows so far, up to firstRows
	stride int       // rows from one look at the clock to the next; 0 before the first chunk
	left   int       // rows until the next look
}

// due reports, after each row, whether it is time to send.
func (p *pace) due(size int) bool {
	if p.stride == 0 {
		p.rows++
		return p.rows == firstRows || size >= firstChunk || time.Since(p.last) > slow
	}
	if size >= laterChunk {
		return true
	}
	if p.left--; p.left > 0 {
		return false
	}
	isSlow := time.Since(p.last) > slow
	if isSlow {
		p.stride = 1
	} else {
		p.stride = min(2*p.stride, maxStride)
	}
	p.left = p.stride
	return isSlow
}

// sent is told when something was sent.
func (p *pace) sent() {
	p.last = time.Now()
	if p.stride == 0 {
		p.stride, p.left = 1, 1
	}
}
