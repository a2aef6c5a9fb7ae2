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

// Disk is one node's disk. It outlives the node. It is safe for concurrent use.
type Disk struct {
	stable   stable
	syncTime time.Duration

	mu     sync.Mutex
	faults fault.Disk
	opened *FS // who has it
	spread time.Duration
	chance *rand.Rand // nil if each sync takes the same
}

// Option changes what a disk is like when nothing is wrong with it.
type Option func(*Disk)

// SyncTakes makes each sync take that long, on top of what it takes anyway.
func SyncTakes(d time.Duration) Option { return func(disk *Disk) { disk.syncTime = d } }

// SyncVaries adds an even draw from [0, spread) to each sync. Syncs in the same order
// take the same for the same seed.
func SyncVaries(spread time.Duration, seed uint64) Option {
	return func(disk *Disk) {
		if spread > 0 {
			disk.spread, disk.chance = spread, rand.New(rand.NewPCG(seed, 0))
		}
	}
}

// Files is a disk of real files below dir, which must exist when something is
// written. Two disks of one directory do not know of each other: it is for the
// node to lock it.
func Files(dir string, options ...Option) *Disk { return newDisk(files{dir}, options) }

// Memory is an empty disk of files in memory.
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

// ErrLost is what a node gets that goes on using a disk after a crash, or after
// it has closed it.
var ErrLost = errors.New("the disk is no longer this node's")

// ErrInUse is returned by Open and Wipe while a node has the disk.
var ErrInUse = errors.New("the disk is in use by a node")

// Open gives the disk to a node, one at a time.
func (d *Disk) Open() (*FS, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opened != nil {
		return nil, ErrInUse
	}
	d.opened = newFS(d)
	return d.opened, nil
}

// Crash takes the disk away from the node that has it, if one has: what is not
// safe is lost, and everything the node still asks, or waits for, fails with
// ErrLost. It returns when nothing of the node touches the disk any more, which
// takes as long as a write to a real file under way. The next Open finds what was
// safe.
func (d *Disk) Crash() {
	d.mu.Lock()
	holder := d.opened
	d.mu.Unlock()
	if holder != nil {
		// What it can fail in is closing real files, of which nothing is kept.
		_ = holder.end(func() error { return nil })
	}
}

// Set makes the disk what the faults say, from now on, for who has it open and
// who comes. A torn sync goes on waiting.
func (d *Disk) Set(faults fault.Disk) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = faults
}

// syncTakes is how long the next sync takes.
func (d *Disk) syncTakes() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	takes := d.syncTime + d.faults.Slow
	if d.chance != nil {
		takes += time.Duration(d.chance.Int64N(int64(d.spread)))
	}
	return takes
}

// Faults are what is wrong with the disk. Torn is gone once a sync has torn.
func (d *Disk) Faults() fault.Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.faults
}

// tear tells whether this sync is the one that tears.
func (d *Disk) tear() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	torn := d.faults.Torn && !d.faults.Lying
	if torn {
		d.faults.Torn = false
	}
	return torn
}

// Wipe removes everything that a node keeps here. It returns ErrInUse while a
// node has the disk open. Faults stay.
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
