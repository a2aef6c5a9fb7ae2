package fusefs

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// handle is an open file.
type handle struct {
	session  *session
	file     *file
	fd       int
	writable bool
	synced   bool   // each write is a sync
	cache    *cache // of the node; nil if the kernel has not opened the file
}

// noFlush is a flag for the kernel (FOPEN_NOFLUSH): a close need not be told. See Flush, for older kernels.
const noFlush = fuse.FOPEN_NOFLUSH

// open opens the file at path as a program asked for.
func (s *session) open(path string, flags uint32) (*handle, error) {
	h := &handle{session: s, writable: flags&unix.O_ACCMODE != unix.O_RDONLY, synced: flags&unix.O_DSYNC != 0}
	access := unix.O_RDONLY
	if h.writable {
		access = unix.O_RDWR // the former content is read
	}
	fd, err := openFile(path, access)
	if err != nil {
		return nil, err
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	h.fd, h.file = fd, s.disk.use(stat.Ino)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handles[h] = struct{}{}
	return h, nil
}

// openFile opens a file, also if its mode allows that to root only: the kernel has checked whether
// the program may.
func openFile(path string, flags int) (fd int, err error) {
	flags |= unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err = unix.Open(path, flags, 0)
	if !errors.Is(err, fs.ErrPermission) {
		return fd, err
	}
	var stat unix.Stat_t
	if statErr := unix.Lstat(path, &stat); statErr != nil {
		return -1, errors.Join(err, statErr)
	}
	if chmodErr := unix.Chmod(path, stat.Mode&0o7777|0o600); chmodErr != nil {
		return -1, err
	}
	fd, err = unix.Open(path, flags, 0)
	return fd, errors.Join(err, unix.Chmod(path, stat.Mode&0o7777))
}

// close closes the file, unless the disk was taken away.
func (h *handle) close() {
	h.session.mu.Lock()
	_, open := h.session.handles[h]
	delete(h.session.handles, h)
	h.session.mu.Unlock()
	if !open {
		return
	}
	if h.cache != nil {
		h.cache.closed(h)
	}
	var stat unix.Stat_t
	gone := unix.Fstat(h.fd, &stat) == nil && stat.Nlink == 0
	_ = unix.Close(h.fd) // what was written is in the file already
	h.file.release(gone)
}

var _ gofs.NodeOpener = (*node)(nil)

// Open implements gofs.NodeOpener.
func (n *node) Open(_ context.Context, flags uint32) (opened gofs.FileHandle, keep uint32, number syscall.Errno) {
	number = n.session.call(func() error {
		h, err := n.session.open(n.path(), flags)
		if err != nil {
			return err
		}
		h.cache = &n.cache
		keep = noFlush
		if n.cache.opened(h) {
			keep |= fuse.FOPEN_KEEP_CACHE
		}
		opened = h
		return nil
	})
	return opened, keep, number
}

var _ gofs.FileReader = (*handle)(nil)

// Read implements gofs.FileReader.
func (h *handle) Read(_ context.Context, content []byte, offset int64) (result fuse.ReadResult, number syscall.Errno) {
	number = h.session.call(func() error {
		length, err := unix.Pread(h.fd, content, offset)
		result = fuse.ReadResultData(content[:max(length, 0)])
		return err
	})
	return result, number
}

var _ gofs.FileWriter = (*handle)(nil)

// Write implements gofs.FileWriter.
func (h *handle) Write(_ context.Context, content []byte, offset int64) (written uint32, number syscall.Errno) {
	end := offset + int64(len(content))
	number = h.session.call(func() error {
		if err := h.session.admit(func() (bool, error) { return h.grows(offset, end) }); err != nil {
			return err
		}
		err := h.file.change(h.fd, offset, end, func() error {
			length, err := unix.Pwrite(h.fd, content, offset)
			written = uint32(max(length, 0))
			return err
		})
		if err == nil && h.synced {
			err = h.session.sync(h.fd, h.file)
		}
		return err
	})
	return written, number
}

// grows returns whether a write would need space.
func (h *handle) grows(from, to int64) (bool, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(h.fd, &stat); err != nil || to > stat.Size {
		return true, err
	}
	const blockUnit = 512 // bytes
	if stat.Blocks*blockUnit >= stat.Size {
		return false, nil
	}
	hole, err := unix.Seek(h.fd, from, unix.SEEK_HOLE)
	return hole < to, err
}

var _ gofs.FileAllocater = (*handle)(nil)

// Allocate implements gofs.FileAllocater.
func (h *handle) Allocate(_ context.Context, offset, size uint64, mode uint32) syscall.Errno {
	return h.session.change(mode&unix.FALLOC_FL_PUNCH_HOLE == 0, func() error {
		return h.file.change(h.fd, int64(offset), int64(offset+size), func() error {
			return retry(func() error { return unix.Fallocate(h.fd, mode, int64(offset), int64(size)) })
		})
	})
}

var _ gofs.FileLseeker = (*handle)(nil)

// Lseek implements gofs.FileLseeker.
func (h *handle) Lseek(_ context.Context, offset uint64, whence uint32) (at uint64, number syscall.Errno) {
	number = h.session.call(func() error {
		found, err := unix.Seek(h.fd, int64(offset), int(whence))
		at = uint64(max(found, 0))
		return err
	})
	return at, number
}

var _ gofs.FileFlusher = (*handle)(nil)

// Flush implements gofs.FileFlusher. A close stores nothing, so the kernel need not ask: it does not do so again after this error.
// A process that serves a mount and has files of it open could otherwise block: each program that it starts closes copies of
// them while the process is stopped in vfork.
func (h *handle) Flush(context.Context) syscall.Errno { return syscall.ENOSYS }

var _ gofs.FileReleaser = (*handle)(nil)

// Release implements gofs.FileReleaser.
func (h *handle) Release(context.Context) syscall.Errno {
	h.close()
	return 0
}
