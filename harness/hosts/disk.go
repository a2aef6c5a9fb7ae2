package hosts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts/fusefs"
	"github.com/rejoin-db/rejoin/harness/hosts/internal/agent"
)

// ErrNoDisk is the error of disk faults where a host's folder is an ordinary one. What wraps it says why.
var ErrNoDisk = errors.New("a disk with faults needs FUSE")

const diskRemedy = "load the kernel's module fuse, let this user open /dev/fuse, " +
	"or start the container with --device /dev/fuse --cap-add SYS_ADMIN --security-opt apparmor=unconfined"

// disk is a host's disk with faults, or why there is none.
type disk struct {
	dir string

	mu     sync.Mutex
	absent error
	disk   *fusefs.Disk
	mount  *fusefs.Mount
}

// SetDisk replaces the faults of the host's disk at once, for all of its programs. fault.Disk and package fusefs say what each
// does. The faults stay in a Kill and in a CutPower. It returns an error that wraps ErrNoDisk if this machine has no FUSE.
func (h *Host) SetDisk(_ context.Context, faults fault.Disk) error {
	return h.withDisk("set the disk of", func(d *fusefs.Disk) error { return d.Set(faults) })
}

// Disk returns the faults of the host's disk. Torn is cleared once a sync was torn.
func (h *Host) Disk() fault.Disk {
	var faults fault.Disk
	_ = h.withDisk("", func(d *fusefs.Disk) error { // without a disk there are no faults
		faults = d.Faults()
		return nil
	})
	return faults
}

// Damage flips all bits of one byte of a file on the host's disk, so that programs read it, and after a power cut. The name is
// relative to Dir. A negative offset counts from the end. Twice, it restores the byte.
func (h *Host) Damage(_ context.Context, name string, offset int64) error {
	return h.withDisk("damage the disk of", func(d *fusefs.Disk) error { return d.Damage(name, offset) })
}

// RefreshDisk makes the host's programs see what this process has changed below Dir. Before that it writes to Dir what they have
// written to mapped files and the kernel still holds, so that this process sees it.
func (h *Host) RefreshDisk(context.Context) error {
	return h.withDisk("refresh the disk of", (*fusefs.Disk).Refresh)
}

// HurryDisk ends the delays of a slow disk until the returned function is called, so that a program can end that waits for a
// sync. A sync that was torn blocks nevertheless.
func (h *Host) HurryDisk(context.Context) (end func(), err error) {
	err = h.withDisk("hurry the disk of", func(d *fusefs.Disk) error {
		end = d.Hurry()
		return nil
	})
	return end, err
}

func (h *Host) withDisk(action string, do func(*fusefs.Disk) error) error {
	d, err := h.disk.use()
	if err == nil {
		err = do(d)
	}
	if err != nil {
		return fmt.Errorf("%s host %s: %w", action, h.name, err)
	}
	return nil
}

func (d *disk) use() (*fusefs.Disk, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.absent != nil:
		return nil, d.absent
	case d.disk == nil:
		return nil, errClosed
	}
	return d.disk, nil
}

// boot mounts the disk on a host that was made. Where that is not possible, the host works without.
func (d *disk) boot(ctx context.Context, a *agent.Agent) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.absent != nil {
		return nil
	}
	if d.disk == nil {
		made, err := fusefs.New(d.dir, fusefs.Options{AsRoot: os.Geteuid() != 0})
		if err != nil {
			return err
		}
		d.disk = made
	}
	device, err := a.MountDisk(ctx, d.dir)
	if err != nil {
		if d.mount != nil || ctx.Err() != nil {
			return err // it was possible before, or may be
		}
		d.absent = fmt.Errorf("%w: %w: %s", ErrNoDisk, err, diskRemedy)
		err = d.disk.Close()
		d.disk = nil
		return err
	}
	d.mount, err = d.disk.Serve(device)
	return err
}

// cut loses what was not synced. All calls of programs fail from then on.
func (d *disk) cut() error {
	used, err := d.use()
	if err != nil {
		return nil //nolint:nilerr // an ordinary folder loses nothing
	}
	return used.Crash()
}

// unmounted waits until a mount has ended that is removed.
func (d *disk) unmounted(ctx context.Context) error {
	d.mu.Lock()
	mount := d.mount
	d.mu.Unlock()
	if mount == nil {
		return nil
	}
	return mount.Close(ctx)
}

// missing returns why there is no disk with faults, or nil.
func (d *disk) missing() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.absent
}

// kill calls do, which kills every process on the host. A process cannot be killed while it waits for a sync, so syncs do not
// take long meanwhile. A sync that is torn keeps blocking until the disk is taken away: then the kill is a crash.
func (d *disk) kill(ctx context.Context, a *agent.Agent, do func() error) error {
	used, err := d.use()
	if err != nil {
		return do()
	}
	defer used.Hurry()()
	if used.Torn() {
		return d.crash(ctx, a, do)
	}
	return do()
}

// crash is kill, and the disk loses what was not synced. It is mounted anew.
func (d *disk) crash(ctx context.Context, a *agent.Agent, do func() error) error {
	used, err := d.use()
	if err != nil {
		return do()
	}
	defer used.Hurry()()
	if used.Torn() {
		// Once stopped, no program sees that the disk is taken away before it is killed.
		err = errors.Join(a.Freeze(ctx), used.Crash(), do())
	} else {
		err = errors.Join(do(), used.Crash())
	}
	if err != nil {
		return err
	}
	if err := a.UnmountDisk(ctx, d.dir); err != nil {
		return err
	}
	if err := d.unmounted(ctx); err != nil {
		return err
	}
	return d.boot(ctx, a)
}

// close ends the disk of a host that is gone.
func (d *disk) close() error {
	if err := d.unmounted(context.Background()); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	used := d.disk
	d.disk = nil
	if used == nil {
		return nil
	}
	return used.Close()
}
