package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// kept is what a store holds, as its user knows it.
type kept struct {
	state
	snapshot uint64 // the index of the newest; 0 if there is none
}

// deed changes what is kept, and says how the store is changed likewise.
type deed func(k *kept) (change func(s *Store) error)

func ofLog(s step) deed {
	return func(k *kept) func(*Store) error {
		change := s(&k.state)
		return func(s *Store) error { return change(s.Log) }
	}
}

func (k *kept) last() uint64 {
	if len(k.entries) == 0 {
		return k.snapshot
	}
	return k.entries[len(k.entries)-1].Index
}

// snaps takes a snapshot of that many entries less than there are, or receives one of
// more if negative.
func snaps(before int) deed {
	return func(k *kept) func(*Store) error {
		k.snapshot = uint64(int(k.last()) - before)
		index, term := k.snapshot, k.term
		return func(s *Store) error {
			sink, err := s.Snapshots.Create(1, index, term, raft.Configuration{}, 1, nil)
			if err != nil {
				return err
			}
			if _, err := sink.Write(snapshotOf(index)); err != nil {
				return err
			}
			return sink.Close()
		}
	}
}

func snapshotOf(index uint64) []byte { return bytes.Repeat([]byte{byte(index), 0, 7}, 60) }

// clears removes the log, as Raft does behind a snapshot that it has received.
func clears(k *kept) func(*Store) error {
	from, to := k.entries[0].Index, k.last()
	k.entries = nil
	return func(s *Store) error { return s.Log.DeleteRange(from, to) }
}

// continues stores entries behind a snapshot, without a log.
func continues(count uint64) deed {
	return func(k *kept) func(*Store) error {
		logs := entries(k.snapshot+1, k.snapshot+count)
		for _, log := range logs {
			log.Term = k.term
			k.entries = append(slices.Clip(k.entries), *log)
		}
		return func(s *Store) error { return s.Log.StoreLogs(logs) }
	}
}

// life is a node's, with everything in it that a store meets.
var life = []deed{
	ofLog(votes), ofLog(stores(1)), ofLog(stores(3)), ofLog(votes), ofLog(stores(4)), ofLog(stores(9)), snaps(2), ofLog(dropsFirst(10)),
	ofLog(stores(2)), ofLog(dropsLast(1)), ofLog(votes), ofLog(stores(1)), ofLog(stores(5)), snaps(3), ofLog(dropsFirst(4)), ofLog(stores(2)),
	snaps(-20), clears, continues(2), ofLog(stores(3)), snaps(0), ofLog(stores(12)), ofLog(votes), ofLog(dropsLast(5)), ofLog(stores(2)), ofLog(stores(1)),
}

// image is what is safe on a disk: every file by its name.
type image map[string][]byte

func imageOf(d *disk.Disk) (image, error) {
	fs, err := d.Open()
	if err != nil {
		return nil, err
	}
	files := image{}
	for _, dir := range []string{".", disk.LogDir, disk.SnapshotDir} {
		names, err := fs.List(dir)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			file, err := fs.Open(path.Join(dir, name))
			if err != nil {
				return nil, err
			}
			if files[path.Join(dir, name)], err = readAll(file); err != nil {
				return nil, err
			}
		}
	}
	return files, fs.Close()
}

func (i image) disk() (*disk.Disk, error) {
	d := disk.Memory()
	fs, err := d.Open()
	if err != nil {
		return nil, err
	}
	for name, content := range i {
		file, err := fs.Create(name, 0)
		if err != nil {
			return nil, err
		}
		if _, err := file.WriteAt(content, 0); err != nil {
			return nil, err
		}
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			return nil, err
		}
	}
	return d, fs.Close()
}

// with is the image with one file another, or without it if the content is nil.
func (i image) with(name string, content []byte) image {
	changed := maps.Clone(i)
	changed[name] = content
	if content == nil {
		delete(changed, name)
	}
	return changed
}

func (i image) without(gone func(name string) bool) image {
	changed := maps.Clone(i)
	maps.DeleteFunc(changed, func(name string, _ []byte) bool { return gone(name) })
	return changed
}

// crashed is what a crash has left, and what was under way.
type crashed struct {
	at            string
	image         image
	before, after kept
}

// doing is what is kept before and after the deed under way.
type doing struct{ before, after kept }

// crash is a way to crash. It returns what was under way when all that is acknowledged was.
type crash func(d *disk.Disk, now func() doing) (doing, error)

func kill(d *disk.Disk, now func() doing) (doing, error) {
	d.Crash()
	return now(), nil
}

func cutPower(d *disk.Disk, now func() doing) (doing, error) {
	err := d.CutPower()
	return now(), err
}

func tear(d *disk.Disk, now func() doing) (doing, error) {
	d.Set(disk.Faults{Torn: true})
	time.Sleep(time.Hour)
	return kill(d, now)
}

// lie is a crash of a disk that has lied before: who has it knows no better.
func lie(d *disk.Disk, now func() doing) (doing, error) {
	d.Set(disk.Faults{Lying: true})
	then := now()
	time.Sleep(time.Hour)
	d.Crash()
	return then, nil
}

// moments are what crashes between any two syncs of the life have left.
func moments(t *testing.T, crash crash, how string) (all []crashed) {
	for at := aSync / 2; ; at += aSync {
		var done bool
		synctest.Test(t, func(t *testing.T) {
			g := NewWithT(t)
			d := disk.Memory(disk.SyncTakes(aSync))
			fs, err := d.Open()
			g.Expect(err).NotTo(HaveOccurred())
			var current atomic.Pointer[doing]
			current.Store(&doing{})
			lived := make(chan bool)
			go func() {
				s, err := openParts(fs, hclog.NewNullLogger(), func(error) {}, smallSegments)
				if err != nil {
					lived <- false
					return
				}
				lived <- live(s, func(before, after kept) { current.Store(&doing{before, after}) })
				_ = s.Close()
			}()
			select {
			case done = <-lived:
			case <-time.After(at):
			}
			under, err := crash(d, func() doing { return *current.Load() })
			g.Expect(err).NotTo(HaveOccurred())
			if !done {
				<-lived
			}
			left, err := imageOf(d)
			g.Expect(err).NotTo(HaveOccurred())
			all = append(all, crashed{fmt.Sprintf("%s after %v", how, at), left, under.before, under.after})
		})
		if done || t.Failed() {
			return all
		}
	}
}

// live lives until a deed fails, and says all the time what is under way.
func live(s *Store, tell func(before, after kept)) bool {
	var now kept
	for _, deed := range life {
		after := now
		change := deed(&after)
		tell(now, after)
		if change(s) != nil {
			return false
		}
		if s.Log.Commit(now.last()) != nil {
			return false
		}
		now = after
		tell(now, now)
	}
	return true
}

// corruption is one of an image at rest.
type corruption struct {
	kind, what string
	image      image
}

// corrupt is everything that is done to an image: to each file, by itself and with an
// older one, in each region. Of each place in a file that is not where something ends
// only one in stride is touched.
func corrupt(now image, older []image, stride int, visit func(corruption)) {
	names := slices.Sorted(maps.Keys(now))
	for _, name := range names {
		content := now[name]
		visit(corruption{"a file is gone", name, now.with(name, nil)})
		visit(corruption{"a file is empty", name, now.with(name, []byte{})})
		visit(corruption{"a file is all zeros", name, now.with(name, make([]byte, len(content)))})
		visit(corruption{"a file is there twice", name, now.with(path.Dir(name)+"/0"+path.Base(name), content)})
		visit(corruption{"a file and the promises are gone", name, now.with(name, nil).with(disk.PromiseFile, nil)})
		for _, at := range places(name, content, stride) {
			where := fmt.Sprintf("%s at byte %d of %d", name, at, len(content))
			visit(corruption{"a file is cut", where, now.with(name, content[:at])})
			zeroed := slices.Clone(content)
			clear(zeroed[at:])
			visit(corruption{"the end of a file is zeros", where, now.with(name, zeroed)})
			if at < len(content) {
				for _, mask := range []byte{1 << (at % 8), 0xFF} {
					flipped := slices.Clone(content)
					flipped[at] ^= mask
					visit(corruption{"bits have flipped", where, now.with(name, flipped)})
				}
				zeroed := slices.Clone(content)
				clear(zeroed[at:min(at+8, len(content))])
				visit(corruption{"eight bytes are zeros", where, now.with(name, zeroed)})
			}
		}
		for _, other := range names {
			if other > name && path.Dir(other) == path.Dir(name) {
				visit(corruption{"two files are swapped", name + " and " + other, now.with(name, now[other]).with(other, content)})
			}
		}
		seen := [][]byte{content}
		for _, old := range slices.Backward(older) {
			was, is := old[name]
			if is && !slices.ContainsFunc(seen, func(known []byte) bool { return bytes.Equal(known, was) }) {
				seen = append(seen, was)
				visit(corruption{"a file is an older one", name, now.with(name, was)})
			}
		}
	}
	for _, dir := range []string{disk.LogDir, disk.SnapshotDir} {
		within := func(name string) bool { return path.Dir(name) == dir }
		visit(corruption{"a folder is gone", dir, now.without(within)})
		for _, old := range older {
			rolled := now.without(within)
			for name, content := range old {
				if within(name) {
					rolled[name] = content
				}
			}
			visit(corruption{"a folder is an older one", dir, rolled})
		}
	}
	both := func(name string) bool { return path.Dir(name) != "." }
	visit(corruption{"both folders are gone", "", now.without(both)})
}

// places are where a file is touched: at the bounds of what is in it, beside them, and
// in one of stride bytes between.
func places(name string, content []byte, stride int) (at []int) {
	for i := 0; i < len(content); i += stride {
		at = append(at, i)
	}
	if strings.HasSuffix(name, disk.LogSuffix) {
		used := len(bytes.TrimRight(content, "\x00"))
		for i := segmentHeader; i+frameHeader <= used; {
			length := int(uint32(content[i+4]) | uint32(content[i+5])<<8 | uint32(content[i+6])<<16 | uint32(content[i+7])<<24)
			if content[i] == frameCommit {
				length = 0
			}
			at = append(at, i, i+4, i+frameHeader, i+frameHeader+recordHeader)
			i += frameHeader + rounded(length)
		}
		at = append(at, max(used-1, 0), used)
	}
	slices.Sort(at)
	return slices.Compact(slices.DeleteFunc(at, func(i int) bool { return i > len(content) }))
}

var errWrong = errors.New("wrong")

// verdict opens an image. Its error is errWrong if less is served than was acknowledged,
// or anything else than was stored; any other error is a refusal.
func verdict(i image, before, after kept) (err error) {
	d, err := i.disk()
	if err != nil {
		return fmt.Errorf("%w: %w", errWrong, err)
	}
	fs, err := d.Open()
	if err != nil {
		return fmt.Errorf("%w: %w", errWrong, err)
	}
	defer d.Crash()
	s, err := openParts(fs, hclog.NewNullLogger(), func(error) {}, smallSegments)
	if err != nil {
		return refusal(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.join(fs); err != nil {
		return refusal(err)
	}
	return holdsAll(s, before, after)
}

// refusal expects an error to say which file it is about.
func refusal(err error) error {
	var damage *DamageError
	var lost *LostError
	if !errors.As(err, &damage) && !errors.As(err, &lost) {
		return fmt.Errorf("%w: refused without a file: %w", errWrong, err)
	}
	return err
}

func holdsAll(s *Store, before, after kept) error {
	found, err := lookAt(s)
	if err != nil {
		return refusal(err)
	}
	if found.term != before.term && found.term != after.term {
		return fmt.Errorf("%w: the term is %d, and was %d", errWrong, found.term, before.term)
	}
	if found.snapshot != before.snapshot && found.snapshot != after.snapshot {
		return fmt.Errorf("%w: the newest snapshot is of %d, and was of %d", errWrong, found.snapshot, before.snapshot)
	}
	has := func(k kept, entry raft.Log) bool {
		return slices.ContainsFunc(k.entries, func(e raft.Log) bool { return reflect.DeepEqual(e, entry) })
	}
	for _, entry := range before.entries {
		if has(after, entry) && entry.Index > found.snapshot && !has(found, entry) {
			return fmt.Errorf("%w: entry %d is lost", errWrong, entry.Index)
		}
	}
	for _, entry := range found.entries {
		if !has(before, entry) && !has(after, entry) {
			return fmt.Errorf("%w: entry %d was never stored", errWrong, entry.Index)
		}
	}
	committed, err := s.Log.CommitIndex()
	if err != nil || committed > max(before.last(), after.last()) {
		return fmt.Errorf("%w: index %d is committed: %w", errWrong, committed, err)
	}
	next := max(found.last(), found.snapshot) + 1
	if err := s.Log.StoreLogs(entries(next, next+2)); err != nil {
		return fmt.Errorf("%w: it takes no entry: %w", errWrong, err)
	}
	return nil
}

// lookAt reads all that a store holds.
func lookAt(s *Store) (k kept, err error) {
	if k.term, err = s.Log.GetUint64([]byte("term")); err != nil {
		return k, err
	}
	first, err := s.Log.FirstIndex()
	if err != nil {
		return k, err
	}
	last, err := s.Log.LastIndex()
	if err != nil {
		return k, err
	}
	for i := first; i <= last && last > 0; i++ {
		var entry raft.Log
		if err := s.Log.GetLog(i, &entry); err != nil {
			return k, err
		}
		k.entries = append(k.entries, entry)
	}
	metas, err := s.Snapshots.List()
	if err != nil || len(metas) == 0 {
		return k, err
	}
	k.snapshot = metas[0].Index
	_, content, err := s.Snapshots.Open(metas[0].ID)
	if err != nil {
		return k, err
	}
	got, err := io.ReadAll(content)
	if err == nil && !bytes.Equal(got, snapshotOf(k.snapshot)) {
		err = fmt.Errorf("%w: the snapshot is another", errWrong)
	}
	return k, errors.Join(err, content.Close())
}

// sweepAll makes the sweep try each byte of each file in each state, and not one in some.
const sweepAll = "SWEEP"

// tally counts verdicts by kind.
type tally map[string]*[3]int // served, refused, wrong

func (c tally) count(kind string, err error) {
	if c[kind] == nil {
		c[kind] = &[3]int{}
	}
	switch {
	case err == nil:
		c[kind][0]++
	case errors.Is(err, errWrong):
		c[kind][2]++
	default:
		c[kind][1]++
	}
}

func (c tally) log(t *testing.T) {
	var sum [3]int
	for _, kind := range slices.Sorted(maps.Keys(c)) {
		t.Logf("%7d served whole, %7d refused, %3d wrong: %s", c[kind][0], c[kind][1], c[kind][2], kind)
		for i := range sum {
			sum[i] += c[kind][i]
		}
	}
	t.Logf("%7d served whole, %7d refused, %3d wrong: all %d", sum[0], sum[1], sum[2], sum[0]+sum[1]+sum[2])
}

// TestNothingIsServedThatIsNotAll crashes a store at every moment of a life, loses power
// there too, and does to what each crash has left everything that can be done at rest to
// a file, a part of it or a folder. What is opened then has all that was acknowledged, or
// is refused with a file's name.
//
// After a loss of power the promise is that of the last sync, so that a second fault then,
// of what was stored since in a part of a file, may go unnoticed: it is not tried. A whole
// file is missed even then.
func TestNothingIsServedThatIsNotAll(t *testing.T) {
	stride, oneIn := 41, 9
	if os.Getenv(sweepAll) != "" {
		stride, oneIn = 1, 1
	}
	counts := tally{}
	judge := func(kind, what string, i image, c crashed) {
		err := verdict(i, c.before, c.after)
		counts.count(kind, err)
		if errors.Is(err, errWrong) {
			t.Errorf("%s, then %s (%s): %v", c.at, kind, what, err)
		}
	}
	killed := moments(t, kill, "killed")
	crashes := func(kind string, all []crashed) {
		for _, c := range all {
			judge(kind, "", c.image, c)
		}
		if refused := counts[kind][1]; refused > 0 {
			t.Errorf("%d of %d stores are refused after a crash and nothing more", refused, len(all))
		}
	}
	crashes("nothing but a kill", killed)
	powerless := moments(t, cutPower, "without power")
	crashes("nothing but a loss of power", powerless)
	crashes("nothing but a torn sync", moments(t, tear, "torn"))
	crashes("nothing but a lie", moments(t, lie, "lied to"))
	for _, c := range powerless {
		for name, content := range c.image {
			judge("no power, and a file is gone", name, c.image.with(name, nil), c)
			judge("no power, and a file is empty", name, c.image.with(name, []byte{}), c)
			judge("no power, and a file is all zeros", name, c.image.with(name, make([]byte, len(content))), c)
		}
	}
	var older []image
	for n, c := range killed {
		if n%oneIn == 0 || n == len(killed)-1 {
			corrupt(c.image, older, stride, func(done corruption) { judge(done.kind, done.what, done.image, c) })
		}
		if n%8 == 0 {
			older = append(older, c.image)
		}
	}
	counts.log(t)
}
