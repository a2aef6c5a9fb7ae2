package specs

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// load is clients that write one row after the other, each with one request
// under way, and remember what became of every row.
type load struct {
	env          *environment
	acknowledged atomic.Int64
	ledgers      []ledger

	stop  context.CancelFunc
	wg    sync.WaitGroup
	ended bool
}

// ledger is what became of a writer's rows: their IDs, by outcome.
type ledger map[target.Outcome][]string

// write is how a writer executes a statement.
type write func(ctx context.Context, sql string, args ...any) (harness.Result, error)

// load starts writers, which write until the load is verified or the spec ends.
func (env *environment) load(ctx SpecContext, writers int, how write) *load {
	GinkgoHelper()
	env.run(ctx, "CREATE TABLE {ns}.entries (id TEXT PRIMARY KEY, writer INTEGER)")
	Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
	writing, stop := context.WithCancel(ctx)
	l := &load{env: env, ledgers: make([]ledger, writers), stop: stop}
	for writer := range writers {
		l.ledgers[writer] = make(ledger)
		l.wg.Go(func() {
			defer GinkgoRecover()
			l.write(ctx, writing, writer, how)
		})
	}
	DeferCleanup(l.end)
	return l
}

// write writes one row after the other until writing ends. What was begun then
// is waited for: a request that is cut short says nothing.
func (l *load) write(ctx, writing context.Context, writer int, how write) {
	sql := l.env.sql("INSERT INTO {ns}.entries VALUES (?, ?)")
	backoff := newBackoff()
	defer backoff.stop()
	for n := 0; writing.Err() == nil; n++ {
		id := fmt.Sprintf("%d-%d", writer, n)
		_, err := how(ctx, sql, id, writer)
		outcome := target.OutcomeOf(err)
		l.ledgers[writer][outcome] = append(l.ledgers[writer][outcome], id)
		if outcome == target.Applied {
			l.acknowledged.Add(1)
			continue
		}
		backoff.wait(writing) // as clients do that are refused
	}
}

func (l *load) end() {
	l.stop()
	l.wg.Wait()
	l.ended = true
}

// goesOn waits until the writers have had some more writes acknowledged.
func (l *load) goesOn(ctx context.Context) {
	GinkgoHelper()
	atStart := l.acknowledged.Load()
	l.env.eventually(ctx, l.acknowledged.Load).Should(BeNumerically(">", atStart+2*int64(len(l.ledgers))), "the others do not go on")
}

// verify ends the load, heals the cluster, and compares what it holds with what
// the writers were told: every acknowledged row is there, and none that was refused.
func (l *load) verify(ctx context.Context, atLeast int) (unknown, refused int) {
	GinkgoHelper()
	l.end()
	env := l.env
	Expect(env.cluster.Heal(ctx)).To(Succeed())
	Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.entries"), env.sql("SELECT * FROM {ns}.entries ORDER BY id")))
	there := make(map[string]bool)
	for _, row := range env.run(ctx, "SELECT id FROM {ns}.entries").Rows() {
		there[row[0].(string)] = true
	}
	acknowledged := 0
	for writer, told := range l.ledgers {
		acknowledged += len(told[target.Applied])
		unknown += len(told[target.Unknown])
		refused += len(told[target.NotApplied])
		for _, id := range told[target.Applied] {
			Expect(there).To(HaveKey(id), "acknowledged to writer %d, and missing", writer)
		}
		for _, id := range told[target.NotApplied] {
			Expect(there).NotTo(HaveKey(id), "refused to writer %d, and there", writer)
		}
	}
	Expect(acknowledged).To(BeNumerically(">=", atLeast), "too few writes to mean anything")
	GinkgoWriter.Printf("writes: %d acknowledged, %d unknown, %d refused\n", acknowledged, unknown, refused)
	return unknown, refused
}
