package wire

import "time"

const (
	// The first rows are sent early, so that a client soon sees an answer. Later rows are sent in
	// chunks, which makes the cost of a write small.
	firstRows  = 8
	firstChunk = 4 << 10
	laterChunk = 32 << 10

	// slow is how long a row may be held back for others.
	slow = 5 * time.Millisecond

	// maxStride is the maximum number of rows between two readings of the clock. That many rows
	// may be held back when rows suddenly become slow.
	maxStride = 16
)

// pace decides when a Writer sends its buffer.
type pace struct {
	last   time.Time // time of the last send, or of the beginning of the answer
	rows   int       // rows so far, up to firstRows
	stride int       // rows between two readings of the clock; 0 before the first chunk
	left   int       // rows until the next reading
}

// due returns, after each row, whether to send.
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

// sent records a send.
func (p *pace) sent() {
	p.last = time.Now()
	if p.stride == 0 {
		p.stride, p.left = 1, 1
	}
}
