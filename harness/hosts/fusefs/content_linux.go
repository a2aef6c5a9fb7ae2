package fusefs

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// pageSize is the unit in which former content is kept, in bytes.
const pageSize = 4096

// file is a file's content, with what a crash would take back. Its fields below the mutex are guarded
// by it, also while the content is changed, so that no write passes another one that keeps the
// content from before both.
type file struct {
	disk *Disk
	ino  uint64
	uses int // open handles; guarded by Disk.mu

	mu       sync.Mutex
	unsynced bool
	size     int64           // durable length, if unsynced
	pages    map[int64]*page // durable content of changed pages below size, by number
}

// page is a page that was changed.
type page struct {
	from, to int // the changed part
	kept     kept
}

// use returns the file of an inode. The caller must call release.
func (d *Disk) use(ino uint64) *file {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[ino]
	if f == nil {
		f = &file{disk: d, ino: ino}
		d.files[ino] = f
	}
	f.uses++
	return f
}

// created makes the inode's file a new one: nothing of it is durable.
func (d *Disk) created(ino uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[ino]
	if f == nil || f.uses == 0 {
		f = &file{disk: d, ino: ino}
		d.files[ino] = f
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unsynced, f.size, f.pages = true, 0, nil
}

// release ends a use. gone is whether the file has no name any more.
func (f *file) release(gone bool) {
	d := f.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	f.uses--
	if f.uses > 0 || d.files[f.ino] != f {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if gone || !f.unsynced {
		f.forgetLocked()
		delete(d.files, f.ino)
		delete(d.claimed, f)
	}
}

// change calls do, which changes the content between two offsets, after keeping what is there.
func (f *file) change(fd int, from, to int64, do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.keepLocked(fd, from, to); err != nil {
		return err
	}
	return do()
}

// truncate sets the length.
func (f *file) truncate(fd int, size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if err := f.keepLocked(fd, min(size, stat.Size), stat.Size); err != nil {
		return err
	}
	return unix.Ftruncate(fd, size)
}

// keepLocked keeps the durable content between two offsets.
func (f *file) keepLocked(fd int, from, to int64) error {
	if !f.unsynced {
		var stat unix.Stat_t
		if err := unix.Fstat(fd, &stat); err != nil {
			return err
		}
		f.unsynced, f.size = true, stat.Size
	}
	to = min(to, f.size)
	var buffer [pageSize]byte
	for number := from / pageSize; number*pageSize < to; number++ {
		start := number * pageSize
		inFrom, inTo := int(max(from-start, 0)), int(min(to-start, pageSize))
		if known := f.pages[number]; known != nil {
			known.from, known.to = min(known.from, inFrom), max(known.to, inTo)
			continue
		}
		content := buffer[:min(pageSize, f.size-start)]
		n, err := unix.Pread(fd, content, start)
		if err != nil {
			return err
		}
		clear(content[n:]) // truncated meanwhile: zeros
		kept, err := f.disk.aside.keep(content)
		if err != nil {
			return err
		}
		if f.pages == nil {
			f.pages = make(map[int64]*page)
		}
		f.pages[number] = &page{inFrom, inTo, kept}
	}
	return nil
}

// keep makes the content durable.
func (f *file) keep() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgetLocked()
}

func (f *file) forgetLocked() {
	for _, p := range f.pages {
		f.disk.aside.drop(p.kept)
	}
	f.unsynced, f.size, f.pages = false, 0, nil
}

// tear makes the first half of the changed bytes durable, by their position. It returns false if
// there are none.
func (f *file) tear(fd int) (torn bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil || !f.unsynced {
		return false, err
	}
	f.truncatedLocked(stat.Size)
	numbers := slices.SortedFunc(maps.Keys(f.pages), cmp.Compare[int64])
	left := max(stat.Size-f.size, 0)
	for _, number := range numbers {
		left += int64(f.pages[number].to - f.pages[number].from)
	}
	if left == 0 {
		return false, nil
	}
	left /= 2
	for _, number := range numbers {
		p := f.pages[number]
		part := min(int64(p.to-p.from), left)
		left -= part
		p.from += int(part)
		if err := f.storeLocked(fd, number, p); err != nil {
			return true, err
		}
	}
	f.size += min(left, max(stat.Size-f.size, 0))
	return true, nil
}

// truncatedLocked makes it durable that the file is shorter now. That is a change of the file's
// metadata, which is not torn.
func (f *file) truncatedLocked(size int64) {
	if size >= f.size {
		return
	}
	f.size = size
	for number, p := range f.pages {
		p.to = int(min(int64(p.to), size-number*pageSize))
		if p.to <= p.from {
			f.disk.aside.drop(p.kept)
			delete(f.pages, number)
		}
	}
}

// storeLocked makes a page durable up to where its changed part begins now.
func (f *file) storeLocked(fd int, number int64, p *page) error {
	former, err := f.disk.aside.content(p.kept)
	if err != nil {
		return err
	}
	stored := slices.Clone(former)
	if _, err := unix.Pread(fd, stored[:min(p.from, len(stored))], number*pageSize); err != nil {
		return err
	}
	f.disk.aside.drop(p.kept)
	p.kept, err = f.disk.aside.keep(stored)
	return err
}

// restoreContent takes back unsynced changes of content, of all files that have a name.
func (d *Disk) restoreContent(files map[uint64]*file) error {
	if len(files) == 0 {
		return nil
	}
	return filepath.WalkDir(d.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		var stat unix.Stat_t
		if err := unix.Lstat(path, &stat); err != nil {
			return &fs.PathError{Op: "restore", Path: path, Err: err}
		}
		f := files[stat.Ino]
		if f == nil {
			return nil
		}
		if err := f.restore(path); err != nil {
			return &fs.PathError{Op: "restore", Path: path, Err: err}
		}
		return nil
	})
}

// restore takes back unsynced changes.
func (f *file) restore(path string) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.unsynced {
		return nil
	}
	fd, err := openFile(path, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	if err := unix.Ftruncate(fd, f.size); err != nil {
		return err
	}
	for number, p := range f.pages {
		content, err := f.disk.aside.content(p.kept)
		if err != nil {
			return err
		}
		content = content[:min(int64(len(content)), f.size-number*pageSize)]
		if _, err := unix.Pwrite(fd, content, number*pageSize); err != nil {
			return err
		}
	}
	f.forgetLocked()
	return nil
}
