package disk

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/hashicorp/raft"
)

// retained is how many snapshots a disk keeps.
const retained = 2

// snapshot is one that is whole. It is never changed.
type snapshot struct {
	meta    raft.SnapshotMeta
	content []byte
}

type snapshotStore struct{ *handle }

var _ raft.SnapshotStore = snapshotStore{}

func (s snapshotStore) Create(version raft.SnapshotVersion, index, term uint64, members raft.Configuration, membersIndex uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	id := fmt.Sprintf("%d-%d-%d", term, index, s.disk.begun.Add(1))
	return &taking{handle: s.handle, meta: raft.SnapshotMeta{
		Version: version, ID: id, Index: index, Term: term, Configuration: members, ConfigurationIndex: membersIndex,
	}}, nil
}

// List returns the newest first.
func (s snapshotStore) List() (metas []*raft.SnapshotMeta, err error) {
	err = s.read(func(d *Disk) error {
		for i := len(d.snapshots) - 1; i >= 0; i-- {
			meta := d.snapshots[i].meta
			metas = append(metas, &meta)
		}
		return nil
	})
	return metas, err
}

func (s snapshotStore) Open(id string) (meta *raft.SnapshotMeta, content io.ReadCloser, err error) {
	err = s.read(func(d *Disk) error {
		for _, found := range d.snapshots {
			if found.meta.ID == id {
				copied := found.meta
				meta, content = &copied, io.NopCloser(bytes.NewReader(found.content))
				return nil
			}
		}
		return fmt.Errorf("open snapshot %s: there is no such snapshot", id)
	})
	return meta, content, err
}

// taking is a snapshot that is being written. Nothing of it is on the disk.
type taking struct {
	*handle
	meta    raft.SnapshotMeta
	content bytes.Buffer
	ended   bool
}

func (t *taking) ID() string { return t.meta.ID }

func (t *taking) Write(p []byte) (int, error) { return t.content.Write(p) }

func (t *taking) Cancel() error { t.ended = true; return nil }

// Close puts the snapshot on the disk. Closing twice is no error.
func (t *taking) Close() error {
	if t.ended {
		return nil
	}
	t.ended = true
	return t.write(func(d *Disk) error {
		t.meta.Size = int64(t.content.Len())
		kept := append(slices.Clone(d.snapshots), &snapshot{t.meta, t.content.Bytes()})
		slices.SortStableFunc(kept, older)
		d.snapshots = slices.Clone(kept[max(len(kept)-retained, 0):])
		return nil
	})
}

func older(a, b *snapshot) int {
	return cmp.Or(cmp.Compare(a.meta.Term, b.meta.Term), cmp.Compare(a.meta.Index, b.meta.Index))
}
