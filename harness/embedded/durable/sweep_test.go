package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

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
	stride, oneIn := 53, 10
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
