package fusefs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

const (
	fsName = "rejoin"
	// maxTransfer is the largest read or write that the kernel hands over at once, in bytes.
	maxTransfer = 1 << 20
	// fresh is how long the kernel may use what it knows of a name or of attributes. Changes through
	// the mount are known at once; only changes from outside may be seen this late.
	fresh = time.Second
)

// Mount is the file system as programs see it.
type Mount struct {
	disk    *Disk
	session *session
	at      string        // "" if another process mounted it
	served  chan struct{} // closed when the mount has ended
	err     error         // of the end
}

// Attach opens the device file, which is /dev/fuse, and mounts it at a directory, in the namespaces of
// the calling thread. It needs root, also that of a user namespace. The result is for Serve, in any
// process; until Serve, calls to the directory block. To unmount it is left to the caller.
func Attach(device, at string) (*os.File, error) {
	file, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d,max_read=%d,allow_other,default_permissions",
		file.Fd(), os.Geteuid(), os.Getegid(), maxTransfer)
	if err := unix.Mount(fsName, at, "fuse."+fsName, unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return nil, errors.Join(&os.PathError{Op: "mount", Path: at, Err: err}, file.Close())
	}
	return file, nil
}

// Mount mounts the disk at a directory, in the namespaces of this process, as root. A dead mount that
// an earlier process has left there is removed. The disk's own directory must stay visible to this
// process, so at must not be above or below it. (Attach may mount over it in other namespaces.)
func (d *Disk) Mount(at string) (*Mount, error) {
	at, err := filepath.Abs(at)
	if err != nil {
		return nil, fmt.Errorf("mount the disk of %s: %w", d.dir, err)
	}
	if within(at, d.dir) || within(d.dir, at) {
		return nil, fmt.Errorf("mount the disk of %s at %s: its own directory must stay visible to this process", d.dir, at)
	}
	if _, err := os.Stat(at); errors.Is(err, unix.ENOTCONN) {
		if err := unix.Unmount(at, unix.MNT_DETACH); err != nil {
			return nil, fmt.Errorf("remove the dead mount at %s: %w", at, err)
		}
	}
	return d.serve(at, at)
}

// within returns whether a path is a directory or below it.
func within(path, dir string) bool {
	rest, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rest)
}

// Serve serves the disk to a mount that was made elsewhere: device is the result of Attach. It takes
// over the file. The mount ends when it is unmounted there, or when the last process in its mount
// namespace has ended.
func (d *Disk) Serve(device *os.File) (*Mount, error) {
	// The file system closes its descriptor by itself.
	fd, err := unix.FcntlInt(device.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err := errors.Join(err, device.Close()); err != nil {
		return nil, fmt.Errorf("serve the disk of %s: %w", d.dir, err)
	}
	return d.serve(fmt.Sprintf("/dev/fd/%d", fd), "")
}

func (d *Disk) serve(place, at string) (*Mount, error) {
	s := newSession(d)
	s.root = &node{session: s}
	d.mu.Lock()
	busy := d.session != nil
	if !busy {
		d.session = s
	}
	d.mu.Unlock()
	if busy {
		return nil, fmt.Errorf("mount the disk of %s: it is mounted already", d.dir)
	}
	m := &Mount{disk: d, session: s, at: at, served: make(chan struct{})}
	server, err := fuse.NewServer(gofs.NewNodeFS(s.root, options(at)), place, &options(at).MountOptions)
	if err != nil {
		s.end()
		return nil, fmt.Errorf("mount the disk of %s: %w", d.dir, err)
	}
	go func() {
		defer close(m.served)
		server.Serve()
		m.err = m.ended()
	}()
	if err := server.WaitMount(); err != nil {
		return nil, fmt.Errorf("mount the disk of %s: %w", d.dir, errors.Join(err, m.Close(context.Background())))
	}
	return m, nil
}

// ended makes everything durable when the mount has ended, unless the disk was taken away before.
func (m *Mount) ended() error {
	crashed := m.disk.current() != m.session
	m.session.end()
	if crashed {
		return nil
	}
	return m.disk.settle()
}

func options(at string) *gofs.Options {
	timeout := fresh
	return &gofs.Options{
		EntryTimeout: &timeout, AttrTimeout: &timeout, NullPermissions: true,
		MountOptions: fuse.MountOptions{
			AllowOther: true, DirectMountStrict: at != "", Options: []string{"default_permissions"},
			Logger: log.New(io.Discard, "", 0), PanicHandler: func(bug any) fuse.Status { panic(bug) },
			FsName: fsName, Name: fsName, MaxWrite: maxTransfer,
			// The cache of content is right, as nothing changes it but the kernel.
			ExplicitDataCacheControl: true,
			// What is read is in memory already. Splicing would leave pipes open in this process for ever.
			DisableSplice: true,
			// Without this, the kernel asks for an attribute before each write. The bits that it
			// is about have no effect on this mount.
			ExtraCapabilities: fuse.CAP_HANDLE_KILLPRIV_V2,
		},
	}
}

// Close unmounts the disk and makes everything durable. It blocks until no program uses the mount. A
// mount that was made elsewhere must be unmounted there: Close waits for that. After Crash, Close only
// removes the mount, also while programs use it. It may be called again after an error.
func (m *Mount) Close(ctx context.Context) error {
	if err := m.unmount(ctx); err != nil {
		return fmt.Errorf("unmount the disk of %s: %w", m.disk.dir, err)
	}
	select {
	case <-m.served:
		return m.err
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of the mount of %s: %w", m.disk.dir, context.Cause(ctx))
	}
}

// unmount removes the mount from where this process has made it.
func (m *Mount) unmount(ctx context.Context) error {
	if m.at == "" {
		return nil
	}
	retry := time.NewTicker(time.Millisecond)
	defer retry.Stop()
	for {
		select {
		case <-m.served: // also if something else unmounted it
			return nil
		default:
		}
		flags := 0
		if m.disk.current() != m.session {
			flags = unix.MNT_FORCE | unix.MNT_DETACH // its files are of no use any more
		}
		err := unix.Unmount(m.at, flags)
		if !errors.Is(err, unix.EBUSY) {
			return err
		}
		select {
		case <-retry.C: // the kernel has no event for the end of the last use
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		}
	}
}

// Done is closed when the mount has ended.
func (m *Mount) Done() <-chan struct{} { return m.served }
