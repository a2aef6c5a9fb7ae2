package disk

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

// Options are how a disk behaves. The zero value works.
type Options struct {
	// Sync is how long it takes until what was written is safe; none if 0.
	Sync time.Duration
}

// Disk is one node's disk. It outlives the node. It is safe for concurrent use.
type Disk struct {
	options Options
	begun   atomic.Uint64 // snapshots so far, whole or not

	mu        sync.RWMutex
	opened    *handle // who has it open
	log       log
	stable    map[string][]byte
	snapshots []*snapshot // oldest first
}

// New returns an empty disk.
func New(options Options) *Disk {
	return &Disk{options: options, stable: make(map[string][]byte)}
}

// ErrLost is what a node gets that goes on using a disk after a crash, or after
// it has closed it.
var ErrLost = errors.New("the disk is no longer this node's")

var errInUse = errors.New("the disk is in use by another node")

// Open gives the disk to a node, one at a time.
func (d *Disk) Open() (embedded.Stores, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opened != nil {
		return embedded.Stores{}, errInUse
	}
	d.opened = &handle{disk: d}
	return embedded.Stores{
		Log: logStore{d.opened}, Stable: stableStore{d.opened}, Snapshots: snapshotStore{d.opened}, Closer: d.opened,
	}, nil
}

// Crash takes the disk away from the node that has it: what it has not synced is
// lost, and everything it still asks for fails. The next Open finds what was synced.
func (d *Disk) Crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened = nil
}

// handle is a disk in the hands of one node.
type handle struct{ disk *Disk }

// Close gives the disk back.
func (h *handle) Close() error {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.disk.opened == h {
		h.disk.opened = nil
	}
	return nil
}

// read calls f while nothing changes.
func (h *handle) read(f func(*Disk) error) error {
	h.disk.mu.RLock()
	defer h.disk.mu.RUnlock()
	if h.disk.opened != h {
		return ErrLost
	}
	return f(h.disk)
}

// write waits as long as a sync takes, and then makes the change, if the disk has
// not been lost meanwhile.
func (h *handle) write(change func(*Disk) error) error {
	if h.disk.options.Sync > 0 {
		time.Sleep(h.disk.options.Sync)
	}
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.disk.opened != h {
		return ErrLost
	}
	return change(h.disk)
}
