package embedded

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded/durable"
)

const (
	ownerFile      = disk.IdentityDir + "/owner"
	ownerTemporary = disk.IdentityDir + "/.owner"
	// rememberedLives is how many of its latest starts a directory lists.
	rememberedLives = 1000
)

// owner is whose directory it is: a small file with a checksum, replaced as a whole at every
// change. Two directories that went through the same starts are one directory, or copies.
type owner struct {
	Node string `json:"node"`
	// Birth is drawn at random for an empty directory. A directory that was emptied has
	// another one.
	Birth string `json:"birth"`
	// Cluster is empty until the node has founded one with the other first members, or the
	// leader of one has admitted it.
	Cluster string `json:"cluster,omitempty"`
	// First is a digest of the first members, of a node that founded its cluster.
	First string `json:"first,omitempty"`
	// Founders are the births of the first members, by their IDs.
	Founders map[string]string `json:"founders,omitempty"`
	// Admitted is the last log index of the leader that admitted the node; 0 for a founder.
	Admitted uint64 `json:"admitted,omitempty"`
	// Logged says that the node has had a log or a snapshot. It has one ever since.
	Logged bool `json:"logged,omitempty"`
	// Starts counts the starts on this directory; Lives are random IDs of the latest, the
	// newest last.
	Starts uint64   `json:"starts"`
	Lives  []string `json:"lives"`
	// Met is how this node last met each other member.
	Met map[string]meeting `json:"met,omitempty"`
}

// life is one life of a directory, from a start to the end after it.
type life struct {
	Number uint64 `json:"number"` // 1 for the first
	ID     string `json:"id"`
}

// meeting is what a node remembers of another one.
type meeting struct {
	Life  life   `json:"life"`
	Birth string `json:"birth"`
	// Since is a log index that this node knew to be committed then: the other one was a member.
	Since uint64 `json:"since"`
}

func (o owner) life() life {
	if len(o.Lives) == 0 {
		return life{}
	}
	return life{Number: o.Starts, ID: o.Lives[len(o.Lives)-1]}
}

// knows tells whether a meeting was with this directory as it is, or as it was before. If
// not, the directory was emptied since, copied, or taken back to an older state; unless a
// leader has admitted it after that meeting, which it does only once the member of that name
// was removed.
//
// A life older than all that are listed counts as known: otherwise a member that was away
// for many starts of another one could never meet that one again.
func (o owner) knows(m meeting) bool {
	if o.Birth != m.Birth && o.Cluster != "" && o.Admitted > m.Since {
		return true
	}
	oldest := o.Starts - uint64(len(o.Lives)) + 1
	switch {
	case o.Birth != m.Birth || m.Life.Number > o.Starts || m.Life.Number == 0:
		return false
	case m.Life.Number < oldest:
		return true
	}
	return o.Lives[m.Life.Number-oldest] == m.Life.ID
}

// begun is the owner with one life more.
func (o owner) begun() owner {
	o.Starts++
	o.Lives = append(slices.Clone(o.Lives), randomName())
	o.Lives = o.Lives[max(len(o.Lives)-rememberedLives, 0):]
	return o
}

func (o owner) clone() owner {
	o.Met = maps.Clone(o.Met)
	if o.Met == nil {
		o.Met = make(map[string]meeting)
	}
	return o
}

func (o owner) validate() error {
	listed := uint64(len(o.Lives))
	if o.Node == "" || o.Birth == "" || listed > rememberedLives || listed > o.Starts || (o.Starts > 0 && listed == 0) {
		return fmt.Errorf("it is not what a node writes: node %q, birth %q, %d lives of %d starts", o.Node, o.Birth, listed, o.Starts)
	}
	return nil
}

// String names the node with its cluster.
func (o owner) String() string { return memberName(o.Node, o.Cluster) }

func memberName(node, cluster string) string {
	if cluster == "" {
		return fmt.Sprintf("node %s of no cluster", node)
	}
	return fmt.Sprintf("node %s of cluster %s", node, cluster)
}

// randomName has 80 random bits.
func randomName() string { return strings.ToLower(rand.Text()[:16]) }

// identity is which node of which cluster this is, as it is safe on the disk. It is safe for concurrent use.
type identity struct {
	fs       *disk.FS
	failStop *failStop
	now      atomic.Pointer[owner] // not changed in place
	fresh    bool                  // the directory was empty; its first life is on the disk
	// turn is a lock: a value in it is held while the file is changed.
	turn chan struct{}
}

// openIdentity reads whose the directory is, and makes an empty one the node's. It comes
// before anything is written to the log. It is an error if the directory is another node's,
// or if it is not empty and does not say whose it is.
func openIdentity(d *disk.FS, stop *failStop, config Config) (*identity, error) {
	i := &identity{fs: d, failStop: stop, turn: make(chan struct{}, 1)}
	content, err := durable.ReadSealed(d, ownerFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := ownerless(d); err != nil {
			return nil, err
		}
		i.fresh = true
		return i, i.write(owner{Node: config.ID, Birth: randomName()}.begun())
	case err != nil:
		return nil, fmt.Errorf("read whose directory %s is: %w", config.Dir, err)
	}
	var o owner
	if err := json.Unmarshal(content, &o); err != nil {
		return nil, fmt.Errorf("read whose directory %s is: %s: %w", config.Dir, d.Path(ownerFile), err)
	}
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("read whose directory %s is: %s: %w", config.Dir, d.Path(ownerFile), err)
	}
	if o.Node != config.ID {
		return nil, fmt.Errorf("directory %s belongs to %v, and not to node %s", config.Dir, o, config.ID)
	}
	i.now.Store(&o)
	return i, nil
}

// ownerless returns an error if there is a log, a snapshot or a promise of them.
func ownerless(d *disk.FS) error {
	promises, err := d.Open(disk.PromiseFile)
	if err == nil {
		return errors.Join(fmt.Errorf("%s is missing, and %s is there: whose it is and what the node has promised is lost; "+
			"remove the node from its cluster and add it again with an empty directory", d.Path(ownerFile), promises.Path()), promises.Close())
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, dir := range []string{disk.LogDir, disk.SnapshotDir} {
		names, err := d.List(dir)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(names, func(name string) bool { return !strings.HasPrefix(name, ".") }) {
			return fmt.Errorf("%s is missing, and %s is not empty: whose it is and what the node has promised is lost; "+
				"remove the node from its cluster and add it again with an empty directory", d.Path(ownerFile), d.Path(dir))
		}
	}
	return nil
}

// ownerKey is where Raft's stable store has whose log it is.
var ownerKey = []byte("Owner")

// begin compares the log with its owner, and begins a life. It is an error if the log is
// another node's, or is lost.
func (i *identity) begin(stores Stores) error {
	o := i.get()
	logged, err := holdsAnything(stores)
	if err != nil {
		return err
	}
	found, err := stores.Stable.Get(ownerKey)
	if err != nil {
		return err
	}
	if len(found) > 0 && string(found) != o.String() {
		return fmt.Errorf("the log in %s belongs to %s, and the directory to %v", i.fs.Path(disk.LogDir), found, o)
	}
	switch {
	case logged && (o.Cluster == "" || o.Logged && len(found) == 0):
		return fmt.Errorf("the log in %s is not that of %v, to whom the directory belongs", i.fs.Path(disk.LogDir), o)
	case !logged && o.Logged:
		return fmt.Errorf("the log of %v is lost: %s is empty; "+
			"remove the node from its cluster and add it again with an empty directory",
			o, i.fs.Path(disk.LogDir))
	case logged && len(found) == 0: // its first life was cut short
		if err := i.sign(stores.Stable, o); err != nil {
			return err
		}
	}
	if i.fresh && !logged {
		return nil
	}
	o = o.begun()
	o.Logged = logged
	return i.write(o)
}

func holdsAnything(stores Stores) (bool, error) {
	last, err := stores.Log.LastIndex()
	if err != nil || last > 0 {
		return last > 0, err
	}
	snapshots, err := stores.Snapshots.List()
	return len(snapshots) > 0, err
}

// sign writes into the log's store whose it is.
func (i *identity) sign(stable raft.StableStore, o owner) error {
	return stable.Set(ownerKey, []byte(o.String()))
}

func (i *identity) get() owner { return *i.now.Load() }

// change stores what changed makes of the owner, if that is a change. It blocks until that
// is safe. A disk that cannot store it fails the node.
func (i *identity) change(changed func(o *owner) bool) error {
	i.turn <- struct{}{}
	defer func() { <-i.turn }()
	next := i.get().clone()
	if !changed(&next) {
		return nil
	}
	return i.failStop.do("store who this node is and whom it met", func() error { return i.write(next) })
}

func (i *identity) write(o owner) error {
	content, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if err := durable.WriteSealed(i.fs, ownerFile, ownerTemporary, content); err != nil {
		return err
	}
	i.now.Store(&o)
	return nil
}

// meet remembers another member, before its votes and acknowledgements count.
func (i *identity) meet(theirs card, since uint64) error {
	if known := i.get().Met[theirs.Node]; known.Life == theirs.Life {
		return nil
	}
	return i.change(func(o *owner) bool {
		if o.Met[theirs.Node].Life == theirs.Life {
			return false
		}
		for _, m := range o.Met { // after a restart Raft does not know yet what was committed
			since = max(since, m.Since)
		}
		o.Met[theirs.Node] = meeting{Life: theirs.Life, Birth: theirs.Birth, Since: since}
		return true
	})
}

// dismissed forgets those that are no longer members by the configuration at that index,
// unless they were met by a later one: a log is applied again after a restart.
func (i *identity) dismissed(index uint64, members raft.Configuration) error {
	gone := func(o owner) (names []string) {
		for name, m := range o.Met {
			is := func(s raft.Server) bool { return string(s.ID) == name }
			if m.Since < index && !slices.ContainsFunc(members.Servers, is) {
				names = append(names, name)
			}
		}
		return names
	}
	if len(gone(i.get())) == 0 {
		return nil
	}
	return i.change(func(o *owner) bool {
		for _, name := range gone(*o) {
			delete(o.Met, name)
		}
		return true
	})
}
