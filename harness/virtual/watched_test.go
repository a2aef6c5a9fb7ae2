package virtual_test

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/report"
	"github.com/rejoin-db/rejoin/harness/virtual"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// watcher observes a cluster in a bubble from outside, in every way in which a run is observed: it reads the log as it
// grows, requests the status of the nodes, and dumps the stacks of all goroutines. It also runs the garbage collector.
type watcher struct {
	mu  sync.Mutex // shared by both sides, like the lock of Ginkgo's writer
	log bytes.Buffer

	cluster atomic.Pointer[harness.Cluster]
	reports atomic.Int64 // reports with an answer of a node
}

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

// watch observes until the context ends, with or without reports.
func (w *watcher) watch(ctx context.Context, reports bool) {
	var wg sync.WaitGroup
	defer wg.Wait()
	each := func(observe func()) {
		wg.Go(func() {
			for ctx.Err() == nil {
				observe()
				runtime.Gosched()
			}
		})
	}
	each(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		_ = bytes.Count(w.log.Bytes(), []byte("\n")) // takes longer as the log grows
	})
	if reports {
		each(func() {
			if c := w.cluster.Load(); c != nil && strings.Contains(report.Cluster(ctx, c, 10), "online") {
				w.reports.Add(1)
			}
		})
	}
	each(func() { runtime.Stack(make([]byte, 1<<20), true) })
	each(runtime.GC)
}

// TestWatching shows that observation does not change a run. It needs exact replay, because otherwise runs differ
// anyway. With yields it makes no reports: see doc.go.
func TestWatching(t *testing.T) {
	if !replay.Exact() {
		t.Skip("runs differ without exact replay: go run ./harness/cmd/exact go test ./harness/virtual")
	}
	for _, yield := range []float64{0, 0.05} {
		schedule := replay.Schedule{Seed: 11, Interleave: 3, Yield: yield}
		unwatched, state := stormUnder(t, schedule, virtual.Options{}, func(*harness.Cluster) {})
		w := new(watcher)
		ctx, stop := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() { w.watch(ctx, yield == 0) })
		watched, other := stormUnder(t, schedule, virtual.Options{Nodes: local.Options{Log: w, LogLevel: "trace"}}, w.cluster.Store)
		stop()
		watching.Wait()
		if w.log.Len() == 0 || yield == 0 && w.reports.Load() == 0 {
			t.Errorf("nothing was observed: the log has %d bytes, and %d reports show a node that is online", w.log.Len(), w.reports.Load())
		}
		mustBeSame(t, unwatched, watched)
		if state != other {
			t.Errorf("observation changed the schedule: %+v, and %+v", state, other)
		}
	}
}

// stormUnder runs ten seconds of storm, and returns the journal and the state of the bubble's scheduler.
func stormUnder(
	t *testing.T, schedule replay.Schedule, options virtual.Options, booted func(*harness.Cluster),
) (events []journal.Event, state replay.State) {
	synctest.Test(t, func(t *testing.T) {
		replay.Begin(schedule)
		c, err := stormFor(t.Context(), virtual.New(options), schedule.Seed, 10*time.Second, booted)
		if err != nil {
			t.Fatal(err)
		}
		events, state = c.Journal().Events(), replay.Now()
	})
	return events, state
}
