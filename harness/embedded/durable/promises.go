package durable

import (
	"errors"
	"io/fs"
	"time"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// syncPromises is how much later than the log its promise is synced, at most, while
// entries are appended. When nothing is, the operating system writes it back.
const syncPromises = time.Second

// promises is the file of the promise. It is apart from what it is about, so that one
// can be lost without the other.
//
// Each change is written before the call that it belongs to returns, and so survives
// the process. It is synced with everything that is rare: a change of log/meta, a
// snapshot, the first entries of a segment, a log that becomes shorter; and once in
// syncPromises while entries are appended, which are synced themselves. So after a loss
// of power it may promise less than there was, and never more: what was stored since
// the last sync, and is lost in addition, is not missed. A whole segment always is.
//
// The promise that was synced last is not written over: of three slots one has it,
// one may be synced now, and one is free. The slot with the highest sequence counts;
// one that is torn does not. Nor does one that is damaged at rest, which looks the same:
// what is promised then is what was when the power could have been lost.
type promises struct {
	fs     *disk.FS
	exists bool // whether the file was there when it was opened
	file   *disk.File

	syncing chan struct{} // held, by a value in it, by who syncs
	// turn is held, by a value in it, by who reads or changes what follows. It is not
	// held for longer than a write takes.
	turn    chan struct{}
	now     promise
	slot    int // where the promise is
	safe    int // the slot that was synced last
	synced  int // the slot that is being synced; none if negative
	holds   [slots]uint64
	written time.Time // when a sync began last
}

const (
	promisesTemporary = "." + disk.PromiseFile
	noSlot            = -1
)

// openPromises reads the promise. Without a file there is none yet.
func openPromises(d *disk.FS) (*promises, error) {
	p := &promises{fs: d, syncing: make(chan struct{}, 1), turn: make(chan struct{}, 1), synced: noSlot}
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
		return damaged(file.Path(), "it has %d bytes and not %d", len(content), slots*slotSize)
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
		return damaged(file.Path(), "its checksums are others")
	}
	return nil
}

// begin makes the file, if there is none, for a new log with a log/meta of that version.
// From then on a log without one is a log that has lost it.
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

// current is the promise as it was changed last.
func (p *promises) current() promise {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	return p.now
}

// note changes the promise. It is there when the process ends, and syncs at times.
func (p *promises) note(change func(*promise)) error {
	due, err := p.change(change)
	if err != nil || !due {
		return err
	}
	return p.keep(func(*promise) {})
}

// keep changes the promise, and blocks until it is safe.
func (p *promises) keep(change func(*promise)) error {
	p.syncing <- struct{}{}
	defer func() { <-p.syncing }()
	if _, err := p.change(change); err != nil {
		return err
	}
	p.turn <- struct{}{}
	known := p.slot == p.safe
	p.synced, p.written = p.slot, time.Now()
	<-p.turn
	var err error
	if !known {
		err = p.file.Sync()
	}
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	if err == nil {
		p.safe = p.synced
	}
	p.synced = noSlot
	return err
}

// change writes the promise, if it changes. A sync is due if none was for too long.
func (p *promises) change(change func(*promise)) (due bool, err error) {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
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

// free is the slot to write to: the one with the promise, unless that is to be kept;
// else the oldest that is not.
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
