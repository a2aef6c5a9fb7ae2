package agent

import (
	"context"
	"encoding/json"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rejoin-db/rejoin/harness/hosts/fusefs"
)

const (
	opMountDisk   = "mount its disk"
	opUnmountDisk = "unmount its disk"
)

// MountDisk mounts a FUSE file system at a directory of the host, and returns the device that serves it. Calls to the
// directory block until something serves it.
func (a *Agent) MountDisk(ctx context.Context, dir string) (*os.File, error) {
	files, err := a.Call(ctx, opMountDisk, dir, nil)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(files[0]), fuseDevice), nil
}

// UnmountDisk removes the mount at a directory of the host.
func (a *Agent) UnmountDisk(ctx context.Context, dir string) error {
	_, err := a.Call(ctx, opUnmountDisk, dir, nil)
	return err
}

const fuseDevice = "/dev/fuse"

func (h *host) mountDisk(request json.RawMessage, _ []int) (any, []int, error) {
	var dir string
	if err := json.Unmarshal(request, &dir); err != nil {
		return nil, nil, err
	}
	device, err := fusefs.Attach(fuseDevice, dir)
	if err != nil {
		return nil, nil, err
	}
	passed, err := unix.FcntlInt(device.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	return nil, []int{passed}, device.Close()
}

func (h *host) unmountDisk(request json.RawMessage, _ []int) (any, []int, error) {
	var dir string
	if err := json.Unmarshal(request, &dir); err != nil {
		return nil, nil, err
	}
	// Its processes are gone, but the kernel may still be busy with their files.
	if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
		return nil, nil, &os.PathError{Op: "unmount", Path: dir, Err: err}
	}
	return nil, nil, nil
}
