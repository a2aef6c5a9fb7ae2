package fusefs

import (
	"sync"
	"syscall"
)

// session is the time in which one mount uses the disk.
type session struct {
	disk  *Disk
	root  *node
	lost  chan struct{}  // closed when the mount loses the disk
	calls sync.WaitGroup // calls in progress

	mu      sync.Mutex
	ended   bool
	handles map[*handle]struct{}
}

func newSession(d *Disk) *session {
	return &session{disk: d, lost: make(chan struct{}), handles: make(map[*handle]struct{})}
}

// begin registers a call. The caller must call s.calls.Done if it returns true.
func (s *session) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.calls.Add(1)
	return true
}

// call calls do unless the disk was taken away.
func (s *session) call(do func() error) syscall.Errno {
	if !s.begin() {
		return syscall.EIO
	}
	defer s.calls.Done()
	return errno(do())
}

// change is call for what changes the disk. room is whether it needs space.
func (s *session) change(room bool, do func() error) syscall.Errno {
	return s.call(func() error {
		if err := s.admit(func() (bool, error) { return room, nil }); err != nil {
			return err
		}
		return do()
	})
}

// admit returns why nothing can be stored now, or nil. After a torn sync it blocks until the disk is
// taken away. room tells whether space is needed; it is called if the disk is full.
func (s *session) admit(room func() (bool, error)) error {
	d := s.disk
	d.mu.Lock()
	torn, faults := d.torn, d.faults
	d.mu.Unlock()
	switch {
	case torn:
		<-s.lost
		return syscall.EIO
	case faults.Failing:
		return syscall.EIO
	case !faults.Full:
		return nil
	}
	needed, err := room()
	if err == nil && needed {
		return syscall.ENOSPC
	}
	return err
}

// end takes the disk away from the mount: all calls fail, and the open files are closed. It blocks
// until no call is in progress.
func (s *session) end() {
	s.mu.Lock()
	first := !s.ended
	s.ended = true
	s.mu.Unlock()
	if first {
		close(s.lost)
	}
	s.calls.Wait()
	s.mu.Lock()
	handles := s.handles
	s.handles = make(map[*handle]struct{})
	s.mu.Unlock()
	for h := range handles {
		// What was written is in the file already.
		_ = syscall.Close(h.fd)
	}
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if s.disk.session == s {
		s.disk.session = nil
	}
}
