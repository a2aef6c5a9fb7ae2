package disk

import (
	"errors"
	"fmt"
	"slices"
)

// WriteThrough writes p and hands it to the operating system before it returns: the data survives
// the end of the process. It is not durable: a power loss before the next Sync may lose it in
// whole or in part. It does not wait for a sync. It is intended for overwriting existing content:
// on a full disk it needs no space. It must not overlap unsynced data of WriteAt.
//
// A lying disk holds the write, in order with the other held changes.
func (f *File) WriteThrough(p []byte, offset int64) error {
	if err := f.begin("write"); err != nil {
		return err
	}
	defer f.fs.calls.Done()
	if err := f.fs.store("write", f.Name(), false); err != nil {
		return err
	}
	if f.fs.disk.Faults().Lying || f.fs.holds() {
		return f.inOrder(func() error { f.hold(span{offset, slices.Clone(p)}); return nil })
	}
	f.fs.mu.Lock()
	file := f.inode.file
	f.inode.size = max(f.inode.size, offset+int64(len(p)))
	f.inode.through = true
	f.fs.mu.Unlock()
	_, err := file.WriteAt(p, offset)
	return err
}

// hold appends a write to the held changes. The caller must hold order.
func (f *File) hold(s span) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	n := f.inode
	n.spans = append(n.spans, s)
	n.size = max(n.size, s.offset+int64(len(s.data)))
	f.fs.held = append(f.fs.held, writing{inode: n, spans: slices.Clone(n.spans[n.claimed:])})
	n.claimed = len(n.spans)
}

// CutPower is like Crash, but also loses data that was written through and not synced since. For
// a disk of real files it does nothing and returns an error that wraps errors.ErrUnsupported.
func (d *Disk) CutPower() error {
	files, is := d.stable.(*memory)
	if !is {
		return fmt.Errorf("cut the power of a disk of real files: %w", errors.ErrUnsupported)
	}
	d.Crash()
	files.losePower()
	return nil
}
