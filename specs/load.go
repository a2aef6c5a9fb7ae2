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

// load is a number of clients that write rows, each with one request under way, and remember
// the outcome of every row.
type load struct {
	env          *environment
	acknowledged atomic.Int64
	ledgers      []ledger

	stop  context.CancelFunc
	wg    sync.WaitGroup
	ended bool
}

// ledger is the IDs of a writer's rows by outcome.
type ledger map[target.Outcome][]string

// write executes a statement for a writer.
type write func(ctx context.Context, sql string, args ...any) (harness.Result, error)

// load starts writers. They write until the load is verified or the spec ends.
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

// write writes rows until writing ends, and completes the last request: an aborted one has no
// known outcome.
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
			backoff.wait(writing, l.env.pace.pause())
			continue
		}
		backoff.wait(writing, backoffTime) // as a refused client does
	}
}

func (l *load) end() {
	l.stop()
	l.wg.Wait()
	l.ended = true
}

// goesOn waits until more writes are acknowledged.
func (l *load) goesOn(ctx context.Context) {
	GinkgoHelper()
	atStart := l.acknowledged.Load()
	l.env.eventually(ctx, l.acknowledged.Load).Should(
		BeNumerically(">", atStart+2*int64(len(l.ledgers))), "the other nodes acknowledge no writes")
}

// verify ends the load, heals the cluster and compares it with the outcomes: every acknowledged
// row must exist, and no refused one.
func (l *load) verify(ctx context.Context, atLeast int) (unknown, refused int) {
	GinkgoHelper()
	l.end()
	env := l.env
	Expect(env.cluster.Heal(ctx)).To(Succeed())
	env.judges(ctx, target.Convergence)
	Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.entries"), env.sql("SELECT * FROM {ns}.entries ORDER BY id")))
	env.judges(ctx)
	there := make(map[string]bool)
	for _, row := range env.run(ctx, "SELECT id FROM {ns}.entries").Rows() {
		there[row[0].(string)] = true
	}
	acknowledged := 0
	for writer, told := range l.ledgers {
		acknowledged += len(told[target.Applied])
		unknown += len(told[target.Unknown])
		refused += len(told[target.NotApplied])
		for _, id := range told[target.NotApplied] {
			Expect(there).NotTo(HaveKey(id), "present, although refused to writer %d", writer)
		}
	}
	env.judges(ctx, target.Durability)
	for writer, told := range l.ledgers {
		for _, id := range told[target.Applied] {
			Expect(there).To(HaveKey(id), "missing, although acknowledged to writer %d", writer)
		}
	}
	env.judges(ctx)
	Expect(acknowledged).To(BeNumerically(">=", atLeast), "too few writes")
	GinkgoWriter.Printf("writes: %d acknowledged, %d unknown, %d refused\n", acknowledged, unknown, refused)
	return unknown, refused
}
