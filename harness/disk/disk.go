package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// Disk is one node's disk. It exists independently of the node. It is safe for concurrent use.
type Disk struct {
	stable   stable
	syncTime time.Duration

	mu     sync.Mutex
	faults fault.Disk
	opened *FS // the current FS, or nil
	spread time.Duration
	random *rand.Rand // nil if all syncs take the same time
}

// Option configures a disk without faults.
type Option func(*Disk)

// SyncTakes adds a fixed duration to each sync.
func SyncTakes(d time.Duration) Option { return func(disk *Disk) { disk.syncTime = d } }

// SyncVaries adds a uniform random duration in [0, spread) to each sync. The sequence of
// durations depends on the seed only.
func SyncVaries(spread time.Duration, seed uint64) Option {
	return func(disk *Disk) {
		if spread > 0 {
			disk.spread, disk.random = spread, rand.New(rand.NewPCG(seed, 0))
		}
	}
}

// Files returns a disk of real files below dir. dir must exist when something is written. Two
// disks of the same directory are not synchronized: the node must lock the directory.
func Files(dir string, options ...Option) *Disk { return newDisk(files{dir}, options) }

// Memory returns an empty disk in memory.
func Memory(options ...Option) *Disk {
	return newDisk(&memory{files: make(map[string]*memoryFile)}, options)
}

func newDisk(s stable, options []Option) *Disk {
	d := &Disk{stable: s}
	for _, option := range options {
		option(d)
	}
	return d
}

// ErrLost is returned to a node that uses a disk after a crash, or after it has closed the disk.
var ErrLost = errors.New("the disk was taken away or closed")

// ErrInUse is returned by Open and Wipe while a node has the disk open.
var ErrInUse = errors.New("the disk is open")

// Open opens the disk for a node. Only one FS can be open at a time.
func (d *Disk) Open() (*FS, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opened != nil {
		return nil, ErrInUse
	}
	d.opened = newFS(d)
	return d.opened, nil
}

// Crash takes the disk away from the node that has it open, if any. Data that is not durable is
// lost, and all of the node's current and later calls fail with ErrLost. Crash blocks until no
// call of the node uses the disk, which takes as long as a write to a real file in progress. The
// next Open finds the durable data.
func (d *Disk) Crash() {
	d.mu.Lock()
	holder := d.opened
	d.mu.Unlock()
	if holder != nil {
		// Only closing real files can fail, and their state is not kept.
		_ = holder.end(func() error { return nil })
	}
}

// Set replaces the disk's faults at once, for the current and for later nodes. A torn sync keeps
// blocking.
func (d *Disk) Set(faults fault.Disk) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = faults
}

// syncTakes returns the duration of the next sync.
func (d *Disk) syncTakes() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	takes := d.syncTime + d.faults.Slow
	if d.random != nil {
		takes += time.Duration(d.random.Int64N(int64(d.spread)))
	}
	return takes
}

// Faults returns the disk's faults. Torn is cleared once a sync was torn.
func (d *Disk) Faults() fault.Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.faults
}

// tear returns whether this sync is the one that is torn.
func (d *Disk) tear() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	torn := d.faults.Torn && !d.faults.Lying
	if torn {
		d.faults.Torn = false
	}
	return torn
}

// Wipe removes all of a node's files. It returns ErrInUse while the disk is open. Faults stay.
func (d *Disk) Wipe() error {
	holder, err := d.Open()
	if err != nil {
		return fmt.Errorf("wipe disk: %w", err)
	}
	errs := []error{d.wipeIdentity()}
	for _, name := range []string{PromiseFile, "." + PromiseFile} {
		if err := d.stable.remove(name); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, place := range places {
		names, err := d.stable.list(place.dir)
		errs = append(errs, err)
		for _, name := range names {
			errs = append(errs, d.stable.remove(place.dir+"/"+name))
		}
	}
	return errors.Join(append(errs, holder.Close())...)
}
