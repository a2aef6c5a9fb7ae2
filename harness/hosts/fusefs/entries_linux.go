package fusefs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// make calls do, which makes a file of the given name, and returns its node. mode is the new file's,
// or 0.
func (n *node) make(
	ctx context.Context, name string, mode uint32, out *fuse.EntryOut, do func(path string) error,
) (made *gofs.Inode, number syscall.Errno) {
	number = n.session.change(true, func() (err error) {
		path := n.child(name)
		if err := n.session.disk.names.create(path, func() error { return do(path) }); err != nil {
			return err
		}
		if err := n.own(ctx, path, mode); err != nil {
			return err
		}
		made, err = n.found(ctx, path, out)
		return err
	})
	return made, number
}

// own gives a new file to the user who made it, as the kernel would, with a mode that this process'
// umask does not change.
func (n *node) own(ctx context.Context, path string, mode uint32) error {
	var stat, parent unix.Stat_t
	if err := errors.Join(unix.Lstat(path, &stat), unix.Lstat(n.path(), &parent)); err != nil {
		return err
	}
	caller, known := fuse.FromContext(ctx)
	if known && os.Geteuid() == 0 {
		gid := int(caller.Gid)
		if parent.Mode&unix.S_ISGID != 0 {
			gid = int(parent.Gid)
		}
		if err := unix.Lchown(path, int(caller.Uid), gid); err != nil {
			return err
		}
	}
	if mode == 0 {
		return nil
	}
	return unix.Chmod(path, mode&0o7777|stat.Mode&unix.S_ISGID)
}

var _ gofs.NodeMkdirer = (*node)(nil)

// Mkdir implements gofs.NodeMkdirer.
func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	return n.make(ctx, name, mode, out, func(path string) error { return unix.Mkdir(path, mode) })
}

var _ gofs.NodeSymlinker = (*node)(nil)

// Symlink implements gofs.NodeSymlinker.
func (n *node) Symlink(ctx context.Context, to, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	return n.make(ctx, name, 0, out, func(path string) error { return unix.Symlink(to, path) })
}

var _ gofs.NodeMknoder = (*node)(nil)

// Mknod implements gofs.NodeMknoder.
func (n *node) Mknod(ctx context.Context, name string, mode, device uint32, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	return n.make(ctx, name, mode, out, func(path string) error {
		if err := unix.Mknod(path, mode, int(device)); err != nil {
			return err
		}
		return n.session.disk.createdAt(path)
	})
}

// createdAt notes that the file at path is new.
func (d *Disk) createdAt(path string) error {
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err != nil {
		return err
	}
	d.created(stat.Ino)
	return nil
}

var _ gofs.NodeLinker = (*node)(nil)

// Link implements gofs.NodeLinker.
func (n *node) Link(ctx context.Context, of gofs.InodeEmbedder, name string, out *fuse.EntryOut) (made *gofs.Inode, number syscall.Errno) {
	number = n.session.change(true, func() (err error) {
		path := n.child(name)
		from := of.(*node).path()
		if err := n.session.disk.names.create(path, func() error { return unix.Link(from, path) }); err != nil {
			return err
		}
		made, err = n.found(ctx, path, out)
		return err
	})
	return made, number
}

var _ gofs.NodeUnlinker = (*node)(nil)

// Unlink implements gofs.NodeUnlinker.
func (n *node) Unlink(_ context.Context, name string) syscall.Errno {
	return n.session.change(false, func() error { return n.session.disk.names.remove(n.child(name), false) })
}

var _ gofs.NodeRmdirer = (*node)(nil)

// Rmdir implements gofs.NodeRmdirer.
func (n *node) Rmdir(_ context.Context, name string) syscall.Errno {
	return n.session.change(false, func() error { return n.session.disk.names.remove(n.child(name), true) })
}

var _ gofs.NodeRenamer = (*node)(nil)

// Rename implements gofs.NodeRenamer.
func (n *node) Rename(_ context.Context, name string, to gofs.InodeEmbedder, toName string, flags uint32) syscall.Errno {
	return n.session.change(false, func() error {
		return n.session.disk.names.rename(n.child(name), to.(*node).child(toName), flags)
	})
}

var _ gofs.NodeCreater = (*node)(nil)

// Create implements gofs.NodeCreater.
func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (
	made *gofs.Inode, opened gofs.FileHandle, _ uint32, number syscall.Errno,
) {
	made, number = n.make(ctx, name, mode, out, func(path string) error {
		fd, err := unix.Open(path, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
		if err != nil {
			return err
		}
		return errors.Join(n.session.disk.createdAt(path), unix.Close(fd))
	})
	if number == syscall.EEXIST && flags&unix.O_EXCL == 0 { // created from outside meanwhile
		made, number = n.Lookup(ctx, name, out)
	}
	if number != 0 {
		return nil, nil, 0, number
	}
	number = n.session.call(func() error {
		h, err := n.session.open(n.child(name), flags)
		if errors.Is(err, fs.ErrNotExist) {
			return syscall.ENOENT
		}
		if err == nil {
			h.cache = &made.Operations().(*node).cache
			h.cache.opened(h)
		}
		opened = h
		return err
	})
	return made, opened, noFlush, number
}
