package durable

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// retained is the number of snapshots that are kept.
const retained = 2

// Snapshots is Raft's snapshot store. It is safe for concurrent use.
type Snapshots struct {
	fs       *disk.FS
	promises *promises

	mu     sync.Mutex
	latest uint64 // latest moment used in a name, in milliseconds since the Unix epoch
}

var _ raft.SnapshotStore = (*Snapshots)(nil)

// openSnapshots removes incomplete snapshots left by a crash. It returns a *LostError if the
// newest promised snapshot is missing.
func openSnapshots(d *disk.FS, promises *promises) (*Snapshots, error) {
	s := &Snapshots{fs: d, promises: promises}
	if err := s.check(); err != nil {
		return nil, err
	}
	names, err := d.List(disk.SnapshotDir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasPrefix(name, ".") {
			if err := d.Remove(disk.SnapshotDir + "/" + name); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// check verifies that the newest snapshot is the promised one, or newer. Older snapshots are not
// promised.
func (s *Snapshots) check() error {
	metas, err := s.List()
	if err != nil {
		return err
	}
	newest := snapshotKey{}
	if len(metas) > 0 {
		if newest, err = parseSnapshotKey(metas[0].ID); err != nil {
			return damaged(s.fs.Path(disk.SnapshotDir), "%v", err)
		}
	}
	if promised := s.promises.current().snapshot; newest.older(promised) {
		return lost(s.fs.Path(snapshotName(promised.String())), "it is missing")
	}
	if len(metas) > 0 && !s.promises.exists {
		return lost(s.fs.Path(disk.PromiseFile), "it is missing, but there are snapshots")
	}
	return nil
}

func snapshotName(id string) string { return disk.SnapshotDir + "/" + id + disk.SnapshotFile }

func isSnapshot(file string) bool {
	return strings.HasSuffix(file, disk.SnapshotFile) && !strings.HasPrefix(file, ".")
}

// Create begins a snapshot. The snapshot exists once its sink is closed. The content is synced
// from time to time, so that little of it is held in memory.
func (s *Snapshots) Create(version raft.SnapshotVersion, index, term uint64, members raft.Configuration, membersIndex uint64,
	_ raft.Transport) (raft.SnapshotSink, error) {
	// Names sort by age.
	key := snapshotKey{term: term, index: index, moment: s.moment()}
	id := key.String()
	temporary := disk.SnapshotDir + "/." + id
	file, err := fresh(s.fs, temporary)
	if err != nil {
		return nil, fmt.Errorf("begin snapshot: %w", err)
	}
	return &sink{snapshots: s, file: file, temporary: temporary, key: key, meta: raft.SnapshotMeta{
		Version: version, ID: id, Index: index, Term: term, Configuration: members, ConfigurationIndex: membersIndex,
	}}, nil
}

// moment returns the time in milliseconds, but always later than that of any earlier snapshot: a
// node may take a snapshot and receive one with the same index in the same millisecond.
func (s *Snapshots) moment() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = max(s.latest+1, uint64(time.Now().UnixMilli()))
	return s.latest
}

// List returns the snapshots, the newest first. A snapshot with an invalid footer is an error: an
// older one would not contain what Raft acknowledged.
func (s *Snapshots) List() ([]*raft.SnapshotMeta, error) {
	names, err := s.fs.List(disk.SnapshotDir)
	if err != nil {
		return nil, err
	}
	var metas []*raft.SnapshotMeta
	for _, name := range names {
		if !isSnapshot(name) {
			continue
		}
		meta, err := s.describe(strings.TrimSuffix(name, disk.SnapshotFile))
		switch {
		case errors.Is(err, fs.ErrNotExist): // removed meanwhile
		case err != nil:
			return nil, err
		default:
			metas = append(metas, meta)
		}
	}
	slices.SortFunc(metas, func(a, b *raft.SnapshotMeta) int {
		return cmp.Or(cmp.Compare(b.Term, a.Term), cmp.Compare(b.Index, a.Index), cmp.Compare(b.ID, a.ID))
	})
	return metas, nil
}

func (s *Snapshots) describe(id string) (*raft.SnapshotMeta, error) {
	meta, content, err := s.Open(id)
	if err != nil {
		return nil, err
	}
	return meta, content.Close()
}

// Open returns a snapshot's metadata and its content. The reader returns verified bytes only, and
// a *DamageError at the first corrupt block. The caller must close it.
func (s *Snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	file, err := s.fs.Open(snapshotName(id))
	if err != nil {
		return nil, nil, fmt.Errorf("open snapshot %s: %w", id, err)
	}
	meta, err := readFooter(file)
	if err == nil && meta.ID != id {
		err = damaged(file.Path(), "its footer is that of snapshot %s", meta.ID)
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return meta, &content{file: file, left: meta.Size}, nil
}

// reap removes all but the newest snapshots. Raft may take a snapshot and receive one at the same
// time, so two calls may run concurrently: a file that the other call has removed is not an
// error.
func (s *Snapshots) reap() error {
	names, err := s.fs.List(disk.SnapshotDir)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !isSnapshot(name) })
	var errs []error
	for _, name := range names[:max(len(names)-retained, 0)] {
		if err := s.fs.Remove(disk.SnapshotDir + "/" + name); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
