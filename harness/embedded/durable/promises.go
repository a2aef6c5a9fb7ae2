package durable

import (
	"errors"
	"io/fs"
	"time"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// syncPromises is the maximum delay between the sync of an entry and the sync of its promise
// while entries are appended. Otherwise the operating system writes the promise back.
const syncPromises = time.Second

// promises is the file of the promise. It is separate from the log and the snapshots, so that the
// loss of one can be detected by the other.
//
// Each change is written before the call that causes it returns, and so survives the end of the
// process. It is synced with every rare operation: a change of log/meta, a snapshot, the first
// entries of a segment, and a truncation of the log; and once per syncPromises while entries are
// appended, which are synced themselves. So after a power loss the promise may be lower than what
// was stored, but never higher: if entries stored since its last sync are lost in addition, that
// is not detected. The loss of a whole segment always is.
//
// The last synced promise is never overwritten: of three slots one holds it, one may be in the
// middle of a sync, and one is free. The valid slot with the highest sequence counts; a torn slot
// is invalid. A slot that was corrupted at rest looks like a torn one: then the promise of the
// previous sync counts.
type promises struct {
	fs     *disk.FS
	exists bool // whether the file existed on open
	file   *disk.File

	syncing chan struct{} // mutex of syncs: locked while it holds a value
	// lock is a mutex for the fields below: it is locked while it holds a value, for no longer
	// than one write.
	lock    chan struct{}
	now     promise
	slot    int // slot of the current promise
	safe    int // slot that was synced last
	synced  int // slot that is being synced, or noSlot
	holds   [slots]uint64
	written time.Time // time at which the last sync began
}

const (
	promisesTemporary = "." + disk.PromiseFile
	noSlot            = -1
)

// openPromises reads the promise. Without the file there is no promise yet.
func openPromises(d *disk.FS) (*promises, error) {
	p := &promises{fs: d, syncing: make(chan struct{}, 1), lock: make(chan struct{}, 1), synced: noSlot}
	file, err := d.Open(disk.PromiseFile)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	if err := p.read(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	p.file, p.exists = file, true
	return p, nil
}

func (p *promises) read(file *disk.File) error {
	content, err := readAll(file)
	if err != nil {
		return err
	}
	if len(content) != slots*slotSize {
		return damaged(file.Path(), "it has %d bytes, not %d", len(content), slots*slotSize)
	}
	for i := range slots {
		found, is := decodePromise(content[i*slotSize:][:slotSize])
		if !is {
			continue
		}
		p.holds[i] = found.sequence
		if found.sequence > p.now.sequence {
			p.now, p.slot, p.safe = found, i, i
		}
	}
	if p.now.sequence == 0 {
		return damaged(file.Path(), "no slot has a valid checksum")
	}
	return nil
}

// begin creates the file, if it does not exist, for a new log with the given version of log/meta.
// From then on a log without the file has lost it.
func (p *promises) begin(meta uint64) (err error) {
	if p.exists {
		return nil
	}
	p.now.sequence, p.now.meta, p.holds[0], p.written = 1, meta, 1, time.Now()
	content := append(p.now.encode(), make([]byte, slots*slotSize-promiseSize)...)
	if err := replace(p.fs, disk.PromiseFile, promisesTemporary, content); err != nil {
		return err
	}
	p.file, err = p.fs.Open(disk.PromiseFile)
	return err
}

// current returns the latest promise.
func (p *promises) current() promise {
	p.lock <- struct{}{}
	defer func() { <-p.lock }()
	return p.now
}

// note changes the promise. The change survives the end of the process, and is synced from time
// to time.
func (p *promises) note(change func(*promise)) error {
	due, err := p.change(change)
	if err != nil || !due {
		return err
	}
	return p.keep(func(*promise) {})
}

// keep changes the promise, and blocks until the change is durable.
func (p *promises) keep(change func(*promise)) error {
	p.syncing <- struct{}{}
	defer func() { <-p.syncing }()
	if _, err := p.change(change); err != nil {
		return err
	}
	p.lock <- struct{}{}
	known := p.slot == p.safe
	p.synced, p.written = p.slot, time.Now()
	<-p.lock
	var err error
	if !known {
		err = p.file.Sync()
	}
	p.lock <- struct{}{}
	defer func() { <-p.lock }()
	if err == nil {
		p.safe = p.synced
	}
	p.synced = noSlot
	return err
}

// change writes the promise if it changes. It returns due if the last sync is too long ago.
func (p *promises) change(change func(*promise)) (due bool, err error) {
	p.lock <- struct{}{}
	defer func() { <-p.lock }()
	next := p.now
	change(&next)
	if next == p.now {
		return false, nil
	}
	next.sequence++
	slot := p.free()
	if err := p.file.WriteThrough(next.encode(), int64(slot*slotSize)); err != nil {
		return false, err
	}
	p.now, p.slot, p.holds[slot] = next, slot, next.sequence
	return time.Since(p.written) >= syncPromises, nil
}

// free returns the slot to write to: the current slot, unless it must be preserved; otherwise the
// oldest slot that need not be.
func (p *promises) free() int {
	kept := func(slot int) bool { return slot == p.safe || slot == p.synced }
	if !kept(p.slot) {
		return p.slot
	}
	oldest := noSlot
	for i := range slots {
		if !kept(i) && (oldest == noSlot || p.holds[i] < p.holds[oldest]) {
			oldest = i
		}
	}
	return oldest
}

func (p *promises) close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}
