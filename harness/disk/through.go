package disk

import (
	"errors"
	"fmt"
	"slices"
)

// WriteThrough writes p, and hands it to the operating system before it returns: the
// end of the process does not lose it. It is not safe: until the next Sync a loss of
// power may lose it, or parts of it. It waits for no sync, and is meant for writing
// again what the file holds already: on a full disk it needs no room. It is not to
// overlap what WriteAt wrote and is not synced.
//
// A lying disk holds it, in its order among all that it holds.
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

// hold keeps a write behind all that the disk has lied about. The order is held.
func (f *File) hold(s span) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	n := f.inode
	n.spans = append(n.spans, s)
	n.size = max(n.size, s.offset+int64(len(s.data)))
	f.fs.held = append(f.fs.held, writing{inode: n, spans: slices.Clone(n.spans[n.claimed:])})
	n.claimed = len(n.spans)
}

// CutPower is Crash, and loses what was written through and not synced since. Only
// files in memory can be made to: for others it is an error, and nothing happens.
func (d *Disk) CutPower() error {
	files, is := d.stable.(*memory)
	if !is {
		return fmt.Errorf("cut the power of a disk of real files: %w", errors.ErrUnsupported)
	}
	d.Crash()
	files.losePower()
	return nil
}
