package network

import (
	"sync"
	"sync/atomic"
)

// kept is what a reader got from its socket and may not pass on yet: the link was cut meanwhile.
type kept struct {
	any atomic.Bool // false as long as nothing was ever kept, or it was all taken

	mu    sync.Mutex
	bytes []byte
	err   error // what the socket said after the bytes, for good
}

func (k *kept) add(p []byte, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bytes = append(k.bytes, p...)
	if err != nil {
		k.err = err
	}
	k.any.Store(true)
}

// take reports false if there is nothing.
func (k *kept) take(p []byte) (n int, ok bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.bytes) == 0 && k.err == nil {
		return 0, false, nil
	}
	if len(k.bytes) == 0 {
		return 0, true, k.err
	}
	n = copy(p, k.bytes)
	k.bytes = k.bytes[n:]
	k.any.Store(len(k.bytes) > 0 || k.err != nil)
	return n, true, nil
}
