package fusefs

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// sync is a sync of a file, or of a directory if f is nil.
func (s *session) sync(fd int, f *file) error {
	d := s.disk
	if err := s.admit(func() (bool, error) { return false, nil }); err != nil {
		return err
	}
	if !d.sleep(s) {
		return syscall.EIO
	}
	if d.options.Flush {
		if err := retry(func() error { return unix.Fsync(fd) }); err != nil {
			return err
		}
	}
	faults := d.Faults()
	if faults.Lying {
		d.claim(f)
		return nil
	}
	if faults.Torn && f != nil {
		torn, err := d.tear(fd, f)
		if err != nil {
			return err
		}
		if torn {
			<-s.lost
			return syscall.EIO
		}
	}
	return d.keep(f)
}

// claim notes that a lying disk said that it had synced the file.
func (d *Disk) claim(f *file) {
	if f == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unsynced {
		d.claimed[f] = true
	}
}

// keep makes a file's content durable, all names, and what a lying disk claimed.
func (d *Disk) keep(f *file) error {
	d.mu.Lock()
	claimed := d.claimed
	d.claimed = make(map[*file]bool)
	d.mu.Unlock()
	for f := range claimed {
		f.keep()
	}
	if f != nil {
		f.keep()
	}
	return d.names.keep()
}

// tear stores half of a file's changes, if it is the sync to be torn. It returns whether it was.
func (d *Disk) tear(fd int, f *file) (bool, error) {
	d.mu.Lock()
	armed := d.faults.Torn && d.hurries == 0
	if armed {
		d.faults.Torn, d.torn = false, true
	}
	d.mu.Unlock()
	if !armed {
		return false, nil
	}
	torn, err := f.tear(fd)
	if err == nil && torn {
		return true, d.keep(nil)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults.Torn, d.torn = true, false
	return false, err
}
