package disk

import (
	"slices"
	"time"
)

// Sync makes all earlier writes to the file durable. It blocks as long as the disk takes. After a
// torn sync it blocks until the disk is lost.
func (f *File) Sync() error {
	if err := f.begin("sync"); err != nil {
		return err
	}
	defer f.fs.calls.Done()
	if !f.fs.lock(f.inode.syncing) {
		return f.fs.failure("sync", f.Name(), ErrLost)
	}
	defer func() { <-f.inode.syncing }()
	written := f.unsynced()
	if err := f.fs.store("sync", f.Name(), len(written.spans) > 0); err != nil {
		return err
	}
	if !f.fs.sleep(f.fs.disk.syncTakes()) {
		return f.fs.failure("sync", f.Name(), ErrLost)
	}
	switch {
	case len(written.spans) > 0 && f.fs.disk.tear():
		return f.tear(written)
	case f.fs.disk.Faults().Lying || f.fs.holds():
		return f.inOrder(func() error { return f.fs.persist(written) })
	}
	return written.apply(f.fs)
}

// unsynced returns the writes that are not synced.
func (f *File) unsynced() writing {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	through := f.inode.through
	f.inode.through = false
	return writing{f.inode, slices.Clip(f.inode.spans[f.inode.claimed:]), through}
}

func (f *File) inOrder(do func() error) error {
	if !f.fs.lock(f.fs.order) {
		return f.fs.failure("sync", f.Name(), ErrLost)
	}
	defer func() { <-f.fs.order }()
	return do()
}

// tear stores half of the writes, and blocks all later ones.
func (f *File) tear(written writing) error {
	err := f.inOrder(func() error {
		f.fs.mu.Lock()
		f.fs.torn = true
		f.fs.mu.Unlock()
		if err := f.fs.writeBack(); err != nil {
			return err
		}
		return written.half().write()
	})
	if err != nil {
		return err
	}
	<-f.fs.lost
	return f.fs.failure("sync", f.Name(), ErrLost)
}

// sleep waits for d. It returns false if the disk was lost meanwhile.
func (f *FS) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-f.lost:
		return false
	}
}
