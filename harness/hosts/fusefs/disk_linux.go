package fusefs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// Options configure a disk. The zero value is usable.
type Options struct {
	// Aside is a directory for what a crash would restore. It must be on the same file system as
	// the disk's directory, but not below it. It is created, and removed by Close. The default
	// is beside the disk's directory.
	Aside string
	// Memory limits the memory in bytes for the former content of overwritten parts; more of it is
	// kept in Aside. 0 means 64 MiB.
	Memory int64
	// Flush makes each sync also a sync of the real file, so that it takes as long as the machine's
	// disk takes.
	Flush bool
	// AsRoot shows the files of this process' user as root's. It is for a mount in a user namespace
	// in which this user is root.
	AsRoot bool
}

const defaultMemory = 64 << 20 // bytes

// Disk is a disk with faults over a directory. It exists independently of its mount. It is safe for
// concurrent use.
type Disk struct {
	dir     string
	options Options
	aside   *aside
	names   names

	mu      sync.Mutex
	faults  fault.Disk
	torn    bool             // a sync was torn; nothing is stored any more
	session *session         // the current mount, or nil
	files   map[uint64]*file // open for writing, or unsynced; by inode number
	claimed map[*file]bool   // a lying disk said that they were synced
	hurries int              // number of Hurry calls in progress
	hurried chan struct{}    // closed when a hurry begins

}

// New returns the disk of an existing directory. It must not be the directory of another Disk. What
// the directory has is durable.
func New(dir string, options Options) (*Disk, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("make the disk of %s: %w", dir, err)
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("make the disk of %s: %w", dir, err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("make the disk of %s: not a directory", dir)
	}
	if options.Memory == 0 {
		options.Memory = defaultMemory
	}
	if options.Aside == "" {
		options.Aside = filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".unsynced")
	}
	aside, err := newAside(options.Aside, options.Memory)
	if err != nil {
		return nil, fmt.Errorf("make the disk of %s: %w", dir, err)
	}
	d := &Disk{
		dir: dir, options: options, aside: aside, hurried: make(chan struct{}),
		files: make(map[uint64]*file), claimed: make(map[*file]bool),
	}
	d.names.disk = d
	return d, nil
}

// Set replaces the disk's faults at once. A torn sync keeps blocking. A sync that waits for a slow disk ends its wait if the
// disk is less slow now.
func (d *Disk) Set(faults fault.Disk) error {
	if faults.Slow < 0 {
		return fmt.Errorf("disk slowdown %v: must not be negative", faults.Slow)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if faults.Slow < d.faults.Slow && d.hurries == 0 {
		close(d.hurried)
		d.hurried = make(chan struct{})
	}
	d.faults = faults
	return nil
}

// Faults returns the disk's faults. Torn is cleared once a sync was torn.
func (d *Disk) Faults() fault.Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.faults
}

// Torn returns whether a sync was torn. The disk then stores nothing until it is taken away by Crash
// or by the end of its mount.
func (d *Disk) Torn() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.torn
}

// Hurry ends the delays of a slow disk until the returned function is called, so that processes can
// be killed that wait for a sync. No sync is torn meanwhile. One that was torn before keeps blocking.
func (d *Disk) Hurry() (end func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hurries++
	if d.hurries == 1 {
		close(d.hurried)
	}
	return sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.hurries--
		if d.hurries == 0 {
			d.hurried = make(chan struct{})
		}
	})
}

// Crash takes the disk away from its mount, if any, and takes back every change that was not synced.
// All current and later calls of programs on that mount fail with EIO. It blocks until none of them
// uses the directory. Afterwards the directory has exactly what was durable, and can be mounted
// again.
func (d *Disk) Crash() error {
	if s := d.current(); s != nil {
		s.end()
	}
	if err := d.restore(); err != nil {
		return fmt.Errorf("crash the disk of %s: %w", d.dir, err)
	}
	return nil
}

// restore takes back what is not durable. No mount may use the disk.
func (d *Disk) restore() error {
	err := d.names.takeBack()
	d.mu.Lock()
	files := d.files
	d.files, d.claimed, d.torn = make(map[uint64]*file), make(map[*file]bool), false
	d.mu.Unlock()
	return errors.Join(err, d.restoreContent(files), d.aside.empty())
}

// settle makes everything durable, as an unmount does. After a torn sync, it crashes instead.
func (d *Disk) settle() error {
	if d.Torn() {
		return d.restore()
	}
	d.mu.Lock()
	d.files, d.claimed = make(map[uint64]*file), make(map[*file]bool)
	d.mu.Unlock()
	return errors.Join(d.names.keep(), d.aside.empty())
}

// Close ends the disk. A mount must be closed before. The directory stays, with all changes.
func (d *Disk) Close() error {
	if d.current() != nil {
		return fmt.Errorf("close the disk of %s: it is mounted", d.dir)
	}
	if err := errors.Join(d.settle(), d.aside.remove()); err != nil {
		return fmt.Errorf("close the disk of %s: %w", d.dir, err)
	}
	return nil
}

func (d *Disk) current() *session {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.session
}

// sleep waits as long as the disk is slow. It returns false if the mount ended meanwhile.
func (d *Disk) sleep(s *session) bool {
	d.mu.Lock()
	slow, hurried := d.faults.Slow, d.hurried
	d.mu.Unlock()
	if slow == 0 {
		return true
	}
	timer := time.NewTimer(slow)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-hurried:
	case <-s.lost:
		return false
	}
	return true
}
