package fusefs

import (
	"context"
	"os"
	"syscall"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// attributes converts what the real file system says of a file.
func (s *session) attributes(stat *unix.Statx_t, out *fuse.Attr) {
	*out = fuse.Attr{
		Ino: stat.Ino, Size: stat.Size, Blocks: stat.Blocks, Blksize: stat.Blksize,
		Mode: uint32(stat.Mode), Nlink: stat.Nlink, Owner: fuse.Owner{Uid: stat.Uid, Gid: stat.Gid},
		Rdev:  uint32(unix.Mkdev(stat.Rdev_major, stat.Rdev_minor)),
		Atime: uint64(stat.Atime.Sec), Atimensec: stat.Atime.Nsec,
		Mtime: uint64(stat.Mtime.Sec), Mtimensec: stat.Mtime.Nsec,
		Ctime: uint64(stat.Ctime.Sec), Ctimensec: stat.Ctime.Nsec,
	}
	out.Nlink -= uint32(s.disk.names.links(stat.Ino))
	if s.disk.options.AsRoot {
		out.Uid, out.Gid = asRoot(out.Uid, os.Geteuid()), asRoot(out.Gid, os.Getegid())
	}
}

func asRoot(id uint32, own int) uint32 {
	if id == uint32(own) {
		return 0
	}
	return id
}

// target is where to change attributes: an open file, or a path.
type target struct {
	fd   int // or -1
	path string
}

func (n *node) target(opened gofs.FileHandle) target {
	if h, is := opened.(*handle); is {
		return target{fd: h.fd}
	}
	return target{fd: -1, path: n.path()}
}

func (t target) statx(out *unix.Statx_t) error {
	if t.fd >= 0 {
		return unix.Statx(t.fd, "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS, out)
	}
	return unix.Statx(unix.AT_FDCWD, t.path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS, out)
}

func (t target) chmod(mode uint32) error {
	if t.fd >= 0 {
		return unix.Fchmod(t.fd, mode)
	}
	return unix.Chmod(t.path, mode)
}

func (t target) chown(uid, gid int) error {
	if t.fd >= 0 {
		return unix.Fchown(t.fd, uid, gid)
	}
	return unix.Lchown(t.path, uid, gid)
}

func (t target) setTimes(accessed, modified unix.Timespec) error {
	times := []unix.Timespec{accessed, modified}
	if t.fd >= 0 {
		return unix.UtimesNanoAt(t.fd, "", times, unix.AT_EMPTY_PATH)
	}
	return unix.UtimesNanoAt(unix.AT_FDCWD, t.path, times, unix.AT_SYMLINK_NOFOLLOW)
}

var _ gofs.NodeGetattrer = (*node)(nil)

// Getattr implements gofs.NodeGetattrer.
func (n *node) Getattr(_ context.Context, opened gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return n.session.call(func() error { return n.getattr(n.target(opened), out) })
}

func (n *node) getattr(t target, out *fuse.AttrOut) error {
	var stat unix.Statx_t
	if err := t.statx(&stat); err != nil {
		return err
	}
	n.session.attributes(&stat, &out.Attr)
	return nil
}

var _ gofs.NodeSetattrer = (*node)(nil)

// Setattr implements gofs.NodeSetattrer.
func (n *node) Setattr(_ context.Context, opened gofs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return n.session.change(false, func() error {
		t := n.target(opened)
		if mode, set := in.GetMode(); set {
			if err := t.chmod(mode); err != nil {
				return err
			}
		}
		if err := n.setOwner(t, in); err != nil {
			return err
		}
		if size, set := in.GetSize(); set {
			if err := n.truncate(opened, int64(size)); err != nil {
				return err
			}
		}
		if err := setTimes(t, in); err != nil {
			return err
		}
		return n.getattr(t, out)
	})
}

func (n *node) setOwner(t target, in *fuse.SetAttrIn) error {
	uid, setsUser := in.GetUID()
	gid, setsGroup := in.GetGID()
	if !setsUser && !setsGroup {
		return nil
	}
	return t.chown(n.session.owner(uid, setsUser, os.Geteuid()), n.session.owner(gid, setsGroup, os.Getegid()))
}

// owner converts a user or group that a program sees; -1 if it is not to be changed.
func (s *session) owner(id uint32, set bool, own int) int {
	switch {
	case !set:
		return -1
	case s.disk.options.AsRoot && id == 0:
		return own
	}
	return int(id)
}

func setTimes(t target, in *fuse.SetAttrIn) error {
	accessed, setsAccessed := in.GetATime()
	modified, setsModified := in.GetMTime()
	if !setsAccessed && !setsModified {
		return nil
	}
	return t.setTimes(timespec(accessed, setsAccessed), timespec(modified, setsModified))
}

func timespec(at time.Time, set bool) unix.Timespec {
	if !set {
		return unix.Timespec{Nsec: unix.UTIME_OMIT}
	}
	return unix.Timespec{Sec: at.Unix(), Nsec: int64(at.Nanosecond())}
}

// truncate sets the length of an open file, or of the one at the node's path.
func (n *node) truncate(opened gofs.FileHandle, size int64) error {
	if h, is := opened.(*handle); is && h.writable {
		return h.file.truncate(h.fd, size)
	}
	h, err := n.session.open(n.path(), unix.O_RDWR)
	if err != nil {
		return err
	}
	defer h.close()
	return h.file.truncate(h.fd, size)
}

var _ gofs.NodeGetxattrer = (*node)(nil)

// Getxattr implements gofs.NodeGetxattrer.
func (n *node) Getxattr(_ context.Context, name string, value []byte) (length uint32, number syscall.Errno) {
	number = n.session.call(func() error {
		l, err := unix.Lgetxattr(n.path(), name, value)
		length = uint32(max(l, 0))
		return err
	})
	return length, number
}

var _ gofs.NodeListxattrer = (*node)(nil)

// Listxattr implements gofs.NodeListxattrer.
func (n *node) Listxattr(_ context.Context, names []byte) (length uint32, number syscall.Errno) {
	number = n.session.call(func() error {
		l, err := unix.Llistxattr(n.path(), names)
		length = uint32(max(l, 0))
		return err
	})
	return length, number
}

var _ gofs.NodeSetxattrer = (*node)(nil)

// Setxattr implements gofs.NodeSetxattrer.
func (n *node) Setxattr(_ context.Context, name string, value []byte, flags uint32) syscall.Errno {
	return n.session.change(true, func() error { return unix.Lsetxattr(n.path(), name, value, int(flags)) })
}

var _ gofs.NodeRemovexattrer = (*node)(nil)

// Removexattr implements gofs.NodeRemovexattrer.
func (n *node) Removexattr(_ context.Context, name string) syscall.Errno {
	return n.session.change(false, func() error { return unix.Lremovexattr(n.path(), name) })
}
