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

// verdict opens an image. Its error wraps errWrong if acknowledged data is missing, or data was
// never stored; any other error is a rejection.
func verdict(i image, before, after contents) (err error) {
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
	if err := s.checkContinuity(fs); err != nil {
		return refusal(err)
	}
	return holdsAll(s, before, after)
}

// refusal checks that an error names the affected file.
func refusal(err error) error {
	var damage *DamageError
	var lost *LostError
	if !errors.As(err, &damage) && !errors.As(err, &lost) {
		return fmt.Errorf("%w: rejected without a file name: %w", errWrong, err)
	}
	return err
}

func holdsAll(s *Store, before, after contents) error {
	found, err := readStore(s)
	if err != nil {
		return refusal(err)
	}
	if found.term != before.term && found.term != after.term {
		return fmt.Errorf("%w: the term is %d, was %d", errWrong, found.term, before.term)
	}
	if found.snapshot != before.snapshot && found.snapshot != after.snapshot {
		return fmt.Errorf("%w: the newest snapshot has index %d, had %d", errWrong, found.snapshot, before.snapshot)
	}
	has := func(k contents, entry raft.Log) bool {
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
		return fmt.Errorf("%w: it accepts no entry: %w", errWrong, err)
	}
	return nil
}

// readStore reads the whole content of a store.
func readStore(s *Store) (k contents, err error) {
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
		err = fmt.Errorf("%w: the content of the snapshot differs", errWrong)
	}
	return k, errors.Join(err, content.Close())
}

// sweepAll is an environment variable that makes the sweep corrupt every byte of every file in
// every state, instead of a sample.
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
		t.Logf("%7d served, %7d rejected, %3d wrong: %s", c[kind][0], c[kind][1], c[kind][2], kind)
		for i := range sum {
			sum[i] += c[kind][i]
		}
	}
	t.Logf("%7d served, %7d rejected, %3d wrong: all %d", sum[0], sum[1], sum[2], sum[0]+sum[1]+sum[2])
}

// TestCorruptionIsNeverServed crashes a store at every point of the scenario, by a kill and by a
// power loss, and applies all corruptions at rest to files, parts of files and folders. The store
// must then either open with all acknowledged data, or be rejected with a file name.
//
// After a power loss the promise is that of the last sync. A second fault that affects a part of
// a file written since may then be undetected, so it is not tried. The loss of a whole file is
// always detected.
func TestCorruptionIsNeverServed(t *testing.T) {
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
	killed := crashPoints(t, kill, "killed")
	crashes := func(kind string, all []crashed) {
		for _, c := range all {
			judge(kind, "", c.image, c)
		}
		if refused := counts[kind][1]; refused > 0 {
			t.Errorf("%d of %d stores are rejected after a crash only", refused, len(all))
		}
	}
	crashes("only a kill", killed)
	powerless := crashPoints(t, cutPower, "without power")
	crashes("only a power loss", powerless)
	crashes("only a torn sync", crashPoints(t, tear, "torn"))
	crashes("only a lying disk", crashPoints(t, lie, "lied to"))
	for _, c := range powerless {
		for name, content := range c.image {
			judge("power loss, and a file is missing", name, c.image.with(name, nil), c)
			judge("power loss, and a file is empty", name, c.image.with(name, []byte{}), c)
			judge("power loss, and a file is all zeros", name, c.image.with(name, make([]byte, len(content))), c)
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
