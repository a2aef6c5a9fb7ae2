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

// retained is how many snapshots are kept.
const retained = 2

// Snapshots are Raft's snapshots. They are safe for concurrent use.
type Snapshots struct {
	fs       *disk.FS
	promises *promises

	mu     sync.Mutex
	latest uint64 // milliseconds, of the names given so far
}

var _ raft.SnapshotStore = (*Snapshots)(nil)

// openSnapshots removes what a crash has left of snapshots that were not whole. A
// *LostError says that the newest is not there that was promised.
func openSnapshots(d *disk.FS, promises *promises) (*Snapshots, error) {
	s := &Snapshots{fs: d, promises: promises}
	if err := s.kept(); err != nil {
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

// kept expects the newest snapshot to be the one that was promised, or newer. Older
// ones are no promise: they are kept for who looks into the directory.
func (s *Snapshots) kept() error {
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
		return lost(s.fs.Path(disk.PromiseFile), "it is missing, and the snapshots are not")
	}
	return nil
}

func snapshotName(id string) string { return disk.SnapshotDir + "/" + id + disk.SnapshotFile }

func isSnapshot(file string) bool {
	return strings.HasSuffix(file, disk.SnapshotFile) && !strings.HasPrefix(file, ".")
}

// Create begins a snapshot. It is there when it is closed, and not before. What is
// written is synced from time to time, so that little of it is in memory.
func (s *Snapshots) Create(version raft.SnapshotVersion, index, term uint64, members raft.Configuration, membersIndex uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	// Sorted by their names, snapshots are sorted by age.
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

// moment is the time in milliseconds, and later than that of any snapshot before:
// one may be taken and another received in one millisecond, of one index.
func (s *Snapshots) moment() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = max(s.latest+1, uint64(time.Now().UnixMilli()))
	return s.latest
}

// List returns the newest first. A snapshot that does not say what it is, is an
// error: an older one would not be what Raft has been promised.
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
		case errors.Is(err, fs.ErrNotExist): // it was one too many
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

// Open returns a snapshot and what it holds. The reader gives nothing away that
// it has not checked; a *DamageError says that there is nothing more to be had.
func (s *Snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	file, err := s.fs.Open(snapshotName(id))
	if err != nil {
		return nil, nil, fmt.Errorf("open snapshot %s: %w", id, err)
	}
	meta, err := readFooter(file)
	if err == nil && meta.ID != id {
		err = damaged(file.Path(), "it says that it is snapshot %s", meta.ID)
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return meta, &content{file: file, left: meta.Size}, nil
}

// reap removes all snapshots but the newest. Raft takes one snapshot and receives another
// at the same time, so that two may end at once: what the other has removed is no error.
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
