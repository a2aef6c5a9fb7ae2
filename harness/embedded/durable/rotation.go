package durable

import (
	"fmt"
	"sync"
)

// rotation tracks raft-wal's change to the next segment. raft-wal does that in the background and
// holds a mutex meanwhile. In a bubble no goroutine may wait for that mutex: it would stop the
// virtual time that the rotation's syncs need.
type rotation struct {
	failed func(error) // called with an error that no call returns

	mu    sync.Mutex
	count int           // number of rotations
	going chan struct{} // closed at the end of the rotation; nil if none is in progress
	err   error         // permanent: raft-wal does not retry
}

func (r *rotation) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	r.going = make(chan struct{})
}

// number returns the number of rotations.
func (r *rotation) number() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// end marks the end of a rotation in progress, with its error.
func (r *rotation) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.going == nil {
		return
	}
	if err != nil {
		r.err = fmt.Errorf("rotate the log segment: %w", err)
		r.failed(r.err)
	}
	close(r.going)
	r.going = nil
}

// wait blocks while a rotation is in progress, and returns the error of a failed one.
func (r *rotation) wait() error {
	r.mu.Lock()
	going := r.going
	r.mu.Unlock()
	if going != nil {
		<-going
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
