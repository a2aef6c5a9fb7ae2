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
	// rememberedLives is the number of latest lives that a directory lists.
	rememberedLives = 1000
)

// owner is the content of ownerFile: which node of which cluster the directory belongs to. The file
// has a checksum and is replaced as a whole at every change. Directories with the same lives are the
// same directory, or copies.
type owner struct {
	Node string `json:"node"`
	// Birth is a random ID of the directory. A directory that was emptied gets a new one.
	Birth string `json:"birth"`
	// Cluster is empty until the node has formed a cluster with the other first members, or a
	// leader has admitted it.
	Cluster string `json:"cluster,omitempty"`
	// First is a digest of the first members; empty if the node is not a founder.
	First string `json:"first,omitempty"`
	// Founders are the births of the first members, by ID.
	Founders map[string]string `json:"founders,omitempty"`
	// Admitted is the last log index of the leader when it admitted the node; 0 for a founder.
	Admitted uint64 `json:"admitted,omitempty"`
	// Logged says that the node has a log or a snapshot, which must exist from then on.
	Logged bool `json:"logged,omitempty"`
	// Starts counts the starts with this directory; Lives are random IDs of the latest ones, oldest
	// first.
	Starts uint64   `json:"starts"`
	Lives  []string `json:"lives"`
	// Met is the last meeting with each other member.
	Met map[string]meeting `json:"met,omitempty"`
}

// life is the time of a directory from one start to the next.
type life struct {
	Number uint64 `json:"number"` // 1 for the first
	ID     string `json:"id"`
}

// meeting is what a node remembers about another one.
type meeting struct {
	Life  life   `json:"life"`
	Birth string `json:"birth"`
	// Since is the commit index of this node at the meeting. The other node was a member then.
	Since uint64 `json:"since"`
}

func (o owner) life() life {
	if len(o.Lives) == 0 {
		return life{}
	}
	return life{Number: o.Starts, ID: o.Lives[len(o.Lives)-1]}
}

// knows returns whether the meeting was with this directory, in this life or an earlier one. If not,
// the directory was emptied, copied or rolled back since. A meeting with an earlier directory also
// counts as known if a leader admitted this one after it, which requires that the member of that ID
// was removed first.
//
// A life that is older than all listed ones counts as known. Otherwise a member that was away during
// many starts of another one could never meet that one again.
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

// begun returns the owner with a new life.
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
		return fmt.Errorf("invalid content: node %q, birth %q, %d lives of %d starts", o.Node, o.Birth, listed, o.Starts)
	}
	return nil
}

// String returns the node and its cluster.
func (o owner) String() string { return memberName(o.Node, o.Cluster) }

func memberName(node, cluster string) string {
	if cluster == "" {
		return fmt.Sprintf("node %s of no cluster", node)
	}
	return fmt.Sprintf("node %s of cluster %s", node, cluster)
}

// randomName returns a name with 80 random bits.
func randomName() string { return strings.ToLower(rand.Text()[:16]) }

// identity is the owner as it is stored on disk. It is safe for concurrent use.
type identity struct {
	fs       *disk.FS
	failStop *failStop
	now      atomic.Pointer[owner] // not changed in place
	fresh    bool                  // the directory was empty, and its first life is stored
	// turn is a lock, held while the file is changed.
	turn chan struct{}
}

// openIdentity reads the owner of the directory; an empty directory becomes the node's own. It must
// be called before anything is written to the log. It returns an error if the directory belongs to
// another node, or has content but no owner.
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
		return nil, fmt.Errorf("read the owner of directory %s: %w", config.Dir, err)
	}
	var o owner
	if err := json.Unmarshal(content, &o); err != nil {
		return nil, fmt.Errorf("read the owner of directory %s: %s: %w", config.Dir, d.Path(ownerFile), err)
	}
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("read the owner of directory %s: %s: %w", config.Dir, d.Path(ownerFile), err)
	}
	if o.Node != config.ID {
		return nil, fmt.Errorf("directory %s belongs to %v, not to node %s", config.Dir, o, config.ID)
	}
	i.now.Store(&o)
	return i, nil
}

// ownerless returns an error if there is a log, a snapshot or a promise file.
func ownerless(d *disk.FS) error {
	promises, err := d.Open(disk.PromiseFile)
	if err == nil {
		return errors.Join(fmt.Errorf("%s is missing, but %s exists: the owner of the directory is unknown; "+
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
			return fmt.Errorf("%s is missing, but %s is not empty: the owner of the directory is unknown; "+
				"remove the node from its cluster and add it again with an empty directory", d.Path(ownerFile), d.Path(dir))
		}
	}
	return nil
}

// ownerKey is the key of the owner in Raft's stable store.
var ownerKey = []byte("Owner")

// begin compares the owner of the log with that of the directory, and begins a life. It returns an
// error if the log belongs to another node, or is lost.
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
		return fmt.Errorf("the log in %s belongs to %s, but the directory to %v", i.fs.Path(disk.LogDir), found, o)
	}
	switch {
	case logged && (o.Cluster == "" || o.Logged && len(found) == 0):
		return fmt.Errorf("the log in %s does not belong to %v, the owner of the directory", i.fs.Path(disk.LogDir), o)
	case !logged && o.Logged:
		return fmt.Errorf("the log of %v is lost: %s is empty; "+
			"remove the node from its cluster and add it again with an empty directory",
			o, i.fs.Path(disk.LogDir))
	case logged && len(found) == 0: // its first life was interrupted
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

// sign stores the owner in the log.
func (i *identity) sign(stable raft.StableStore, o owner) error {
	return stable.Set(ownerKey, []byte(o.String()))
}

func (i *identity) get() owner { return *i.now.Load() }

// change modifies the owner with changed, which returns whether there is a change. It blocks until
// the result is durable. If it cannot be stored, the node fails.
func (i *identity) change(changed func(o *owner) bool) error {
	i.turn <- struct{}{}
	defer func() { <-i.turn }()
	next := i.get().clone()
	if !changed(&next) {
		return nil
	}
	return i.failStop.do("store the identity of the node", func() error { return i.write(next) })
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

// meet stores a meeting with another member. Votes and acknowledgements count only after it.
func (i *identity) meet(theirs card, since uint64) error {
	if known := i.get().Met[theirs.Node]; known.Life == theirs.Life {
		return nil
	}
	return i.change(func(o *owner) bool {
		if o.Met[theirs.Node].Life == theirs.Life {
			return false
		}
		for _, m := range o.Met { // after a restart Raft does not know the commit index yet
			since = max(since, m.Since)
		}
		o.Met[theirs.Node] = meeting{Life: theirs.Life, Birth: theirs.Birth, Since: since}
		return true
	})
}

// dismissed forgets nodes that are not members in the configuration at that index, unless they were
// met after it: entries are applied again after a restart.
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
