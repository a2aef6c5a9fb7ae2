//go:debug randseednop=0
package virtual_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/journal/compare"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// enough runs of one seed check the counting; a measurement needs more.
const enough = 3

var runsOfOneSeed = flag.Int("rejoin.runs", enough, "how often TestOneSeed runs one seed")

var manyClusters = flag.Int("rejoin.clusters", 100, "how many clusters TestManyClusters boots")

// TestOneSeed counts how many of several runs of one seed give the same journal, to the nanosecond of virtual time: the
// figures of doc.go. If replay is exact, all must. Otherwise it only measures. It also fails if a run fails.
func TestOneSeed(t *testing.T) {
	for _, threads := range []int{1, 2} {
		t.Run(fmt.Sprintf("threads=%d", threads), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
			count(t, "recovery", scenario)
			if replay.Exact() || *runsOfOneSeed > enough { // a storm takes seconds
				count(t, "storm", storm)
			}
		})
	}
}

func count(t *testing.T, name string, play func(context.Context, target.Target, uint64) (*harness.Cluster, error)) {
	stories := make(map[string]int)
	var first []journal.Event
	most, length, last := 0, 0, ""
	var passed time.Duration
	for range *runsOfOneSeed {
		var events []journal.Event
		synctest.Test(t, func(t *testing.T) {
			replay.Begin(replay.Schedule{Seed: 7})
			begun := time.Now()
			c, err := play(context.Background(), virtual.New(virtual.Options{}), 7)
			if err != nil {
				t.Fatal(err)
			}
			s := story(c)
			stories[s]++
			last = s
			most, length, passed = max(most, stories[s]), c.Journal().Total(), time.Since(begun)
			events = c.Journal().Events()
		})
		if first == nil {
			first = events
		} else if replay.Exact() {
			mustBeSame(t, first, events)
		}
	}
	t.Logf("%s, %v: %d runs of one seed: %d different journals of %d events, the most frequent %d times; digest of the last %.8x",
		name, passed.Round(time.Millisecond), *runsOfOneSeed, len(stories), length, most, sha256.Sum256([]byte(last)))
}

func mustBeSame(t *testing.T, first, other []journal.Event) {
	t.Helper()
	parting, err := compare.Journals(first, other)
	if err != nil {
		t.Fatal(err)
	}
	if parting != nil {
		t.Error(parting.Write("the first run", "another run", 5))
	}
}

// story returns a cluster's journal as text, with virtual times.
func story(c *harness.Cluster) string {
	var text string
	for _, e := range c.Journal().Last(-1) {
		text += fmt.Sprintf("%v %s\n", e.At.UnixNano(), e)
	}
	return text
}

// storm runs four writers for a minute while nodes go offline and return at random.
func storm(ctx context.Context, t target.Target, seed uint64) (*harness.Cluster, error) {
	return stormFor(ctx, t, seed, time.Minute, func(*harness.Cluster) {})
}

func stormFor(
	ctx context.Context, t target.Target, seed uint64, long time.Duration, booted func(*harness.Cluster),
) (c *harness.Cluster, err error) {
	if c, err = harness.Boot(ctx, t, harness.Seed(seed)); err != nil {
		return nil, err
	}
	booted(c)
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.ExecuteOnRandom(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"); err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(seed, 1))
	writing, stop := context.WithTimeout(ctx, long)
	defer stop()
	var wg sync.WaitGroup
	for writer := range 4 {
		wg.Go(func() {
			for writing.Err() == nil {
				_, _ = c.ExecuteOnRandom(ctx, "INSERT INTO t (v) VALUES (?)", writer)
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	for writing.Err() == nil {
		victim := random.IntN(c.Size())
		err = errors.Join(err, c.TakeNodeOffline(ctx, victim), c.Advance(ctx, time.Duration(random.Int64N(int64(time.Second)))),
			c.BringNodeOnline(ctx, victim), c.WaitForNodeOnline(ctx, victim))
	}
	wg.Wait()
	return c, errors.Join(err, c.VerifyInvariants(ctx), c.VerifyDataConsistency(ctx, "SELECT * FROM t"))
}
