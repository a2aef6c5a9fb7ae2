package fusefs

import (
	"context"
	"path/filepath"
	"syscall"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// node is a file or directory as the kernel knows it.
type node struct {
	gofs.Inode

	session *session
	cache   cache
}

// path returns the node's place in the real directory.
func (n *node) path() string { return filepath.Join(n.session.disk.dir, n.Path(nil)) }

func (n *node) child(name string) string { return filepath.Join(n.path(), name) }

// found returns the node of a path that was stated, and fills in what the kernel wants to know.
func (n *node) found(ctx context.Context, path string, out *fuse.EntryOut) (*gofs.Inode, error) {
	var stat unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &stat); err != nil {
		return nil, err
	}
	n.session.attributes(&stat, &out.Attr)
	// An inode number that is used again has a different time of birth.
	born := uint64(stat.Btime.Sec)*1e9 + uint64(stat.Btime.Nsec)
	id := gofs.StableAttr{Mode: uint32(stat.Mode), Ino: stat.Ino, Gen: max(born, 1)}
	return n.NewInode(ctx, &node{session: n.session}, id), nil
}

var _ gofs.NodeLookuper = (*node)(nil)

// Lookup implements gofs.NodeLookuper.
func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (found *gofs.Inode, number syscall.Errno) {
	number = n.session.call(func() (err error) {
		found, err = n.found(ctx, n.child(name), out)
		return err
	})
	return found, number
}

var _ gofs.NodeReadlinker = (*node)(nil)

// Readlink implements gofs.NodeReadlinker.
func (n *node) Readlink(context.Context) (target []byte, number syscall.Errno) {
	number = n.session.call(func() error {
		buffer := make([]byte, unix.PathMax)
		length, err := unix.Readlink(n.path(), buffer)
		target = buffer[:max(length, 0)]
		return err
	})
	return target, number
}

var _ gofs.NodeStatfser = (*node)(nil)

// Statfs implements gofs.NodeStatfser.
func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	return n.session.call(func() error {
		var stat syscall.Statfs_t
		if err := syscall.Statfs(n.path(), &stat); err != nil {
			return err
		}
		out.FromStatfsT(&stat)
		if n.session.disk.Faults().Full {
			out.Bfree, out.Bavail = 0, 0
		}
		return nil
	})
}

var _ gofs.NodeReaddirer = (*node)(nil)

// Readdir implements gofs.NodeReaddirer.
func (n *node) Readdir(context.Context) (stream gofs.DirStream, number syscall.Errno) {
	started := n.session.call(func() error {
		stream, number = gofs.NewLoopbackDirStream(n.path())
		return nil
	})
	return stream, max(started, number)
}

var _ gofs.NodeFsyncer = (*node)(nil)

// Fsync implements gofs.NodeFsyncer, for files and directories.
func (n *node) Fsync(_ context.Context, opened gofs.FileHandle, _ uint32) syscall.Errno {
	return n.session.call(func() error {
		if h, is := opened.(*handle); is {
			return n.session.sync(h.fd, h.file)
		}
		dir, err := unix.Open(n.path(), unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(dir) }()
		return n.session.sync(dir, nil)
	})
}
