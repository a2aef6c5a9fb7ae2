package specs

import (
	"sync"
	"time"
)

// starvation measures how long a busy machine keeps this process from running: the total delay
// of a timer. Heartbeats are delayed as much. In virtual time it is 0.
type starvation struct {
	stop  chan struct{}
	ended sync.Once
	wg    sync.WaitGroup
	total time.Duration
}

// starvationTick is short against an election timeout.
const starvationTick = 10 * time.Millisecond

// measureStarvation measures until end is called. The caller must call it.
func measureStarvation() *starvation {
	s := &starvation{stop: make(chan struct{})}
	s.wg.Go(s.measure)
	return s
}

func (s *starvation) measure() {
	timer := time.NewTimer(starvationTick)
	defer timer.Stop()
	for due := time.Now().Add(starvationTick); ; due = time.Now().Add(starvationTick) {
		select {
		case <-timer.C:
			s.total += max(0, time.Since(due))
			timer.Reset(starvationTick)
		case <-s.stop:
			return
		}
	}
}

// end ends the measurement and returns the total. It may be called again.
func (s *starvation) end() time.Duration {
	s.ended.Do(func() { close(s.stop) })
	s.wg.Wait()
	return s.total
}
