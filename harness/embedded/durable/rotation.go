package durable

import (
	"fmt"
	"sync"
)

// rotation is raft-wal's going on to the next segment, which it does on its own
// time, and holds a mutex meanwhile. In a bubble nobody may meet that mutex: it
// would stop the time that the rotation's syncs take.
type rotation struct {
	failed func(error) // is told what went wrong, since nobody else is

	mu    sync.Mutex
	count int           // how many there were
	going chan struct{} // closed when it has ended; nil if none is going
	err   error         // what went wrong: raft-wal does not try again
}

func (r *rotation) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	r.going = make(chan struct{})
}

// number is how many there were.
func (r *rotation) number() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// end says that the rotation, if one is going, has come to its last step, or to
// an error.
func (r *rotation) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.going == nil {
		return
	}
	if err != nil {
		r.err = fmt.Errorf("go on to the next file: %w", err)
		r.failed(r.err)
	}
	close(r.going)
	r.going = nil
}

// wait blocks while a rotation is going, and returns why the log cannot go on.
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
