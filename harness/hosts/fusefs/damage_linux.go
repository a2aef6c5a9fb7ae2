package fusefs

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"
)

// Damage flips all bits of one byte of a file, for programs and after a crash. name is the path below
// the disk's directory. A negative offset counts from the end. Twice, it restores the byte.
func (d *Disk) Damage(name string, offset int64) error {
	if err := d.damage(name, offset); err != nil {
		return fmt.Errorf("flip byte %d of %s on the disk of %s: %w", offset, name, d.dir, err)
	}
	return nil
}

func (d *Disk) damage(name string, offset int64) (err error) {
	if !filepath.IsLocal(name) {
		return errors.New("the name must be a path below the directory")
	}
	fd, err := openFile(filepath.Join(d.dir, name), unix.O_RDWR)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if offset < 0 {
		offset += stat.Size
	}
	if offset < 0 || offset >= stat.Size {
		return fmt.Errorf("the file has %d bytes", stat.Size)
	}
	f := d.use(stat.Ino)
	defer f.release(stat.Nlink == 0)
	if err := f.flip(fd, offset); err != nil {
		return err
	}
	return d.refresh(name, offset)
}

// flip flips a byte, and the one that a crash would restore.
func (f *file) flip(fd int, offset int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b [1]byte
	if _, err := unix.Pread(fd, b[:], offset); err != nil {
		return err
	}
	b[0] = ^b[0]
	if _, err := unix.Pwrite(fd, b[:], offset); err != nil {
		return err
	}
	p := f.pages[offset/pageSize]
	if p == nil {
		return nil
	}
	content, err := f.disk.aside.content(p.kept)
	if err != nil || int(offset%pageSize) >= len(content) {
		return err
	}
	content = append([]byte(nil), content...)
	content[offset%pageSize] = ^content[offset%pageSize]
	f.disk.aside.drop(p.kept)
	p.kept, err = f.disk.aside.keep(content)
	return err
}

// refresh makes the kernel read a byte of a file again.
func (d *Disk) refresh(name string, offset int64) error {
	s := d.current()
	if s == nil {
		return nil
	}
	at := s.root.EmbeddedInode()
	for part := range strings.SplitSeq(filepath.Clean(name), "/") {
		if at = at.GetChild(part); at == nil {
			return nil // the kernel does not know it
		}
	}
	return notified(at.NotifyContent(offset, 1))
}

// Refresh makes programs see what was changed in the directory from outside the mount.
func (d *Disk) Refresh() error {
	s := d.current()
	if s == nil {
		return nil
	}
	if err := refreshAll(s.root.EmbeddedInode()); err != nil {
		return fmt.Errorf("refresh the disk of %s: %w", d.dir, err)
	}
	return nil
}

func refreshAll(at *gofs.Inode) error {
	err := notified(at.NotifyContent(0, 0))
	for name, child := range at.Children() {
		err = errors.Join(err, refreshAll(child), notified(at.NotifyEntry(name)))
	}
	return err
}

// notified ignores that the kernel does not know the file any more.
func notified(number unix.Errno) error {
	if number == 0 || number == unix.ENOENT {
		return nil
	}
	return number
}
