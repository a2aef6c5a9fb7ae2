package specs

import (
	"context"
	"fmt"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func concurrency(w *world) {
	When("ten writers write while nodes leave and return", Label("suite:concurrency", "fault:isolate"), func() {
		It("loses no acknowledged write, and keeps none that surely failed", func(ctx SpecContext) {
			w.needs(3)
			w.run(ctx, "CREATE TABLE {ns}.entries (id TEXT PRIMARY KEY, writer INTEGER)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())

			const writers, rounds = 10, 6
			var wg sync.WaitGroup
			writing, stop := context.WithCancel(ctx)
			defer func() { stop(); wg.Wait() }()
			ledgers := make([]ledger, writers)
			for writer := range writers {
				wg.Go(func() {
					defer GinkgoRecover()
					ledgers[writer] = w.write(ctx, writing, writer)
				})
			}

			for round := range rounds {
				victim := round % w.cluster.Size()
				atStart := w.written(ctx)
				w.leave(ctx, victim)
				Eventually(ctx, func(ctx context.Context) (int64, error) { return w.written(ctx), nil }).Should(
					BeNumerically(">", atStart+writers), "the others do not go on")
				w.comeBack(ctx, victim)
			}
			stop()
			wg.Wait()
			Expect(w.cluster.Heal(ctx)).To(Succeed())

			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.entries"), w.sql("SELECT * FROM {ns}.entries ORDER BY id")))
			there := make(map[string]bool)
			for _, row := range w.run(ctx, "SELECT id FROM {ns}.entries").Rows() {
				there[row[0].(string)] = true
			}
			total := 0
			for writer, l := range ledgers {
				total += len(l[target.Applied])
				for _, id := range l[target.Applied] {
					Expect(there).To(HaveKey(id), "acknowledged to writer %d, and missing", writer)
				}
				for _, id := range l[target.NotApplied] {
					Expect(there).NotTo(HaveKey(id), "refused to writer %d, and there", writer)
				}
			}
			Expect(total).To(BeNumerically(">=", writers*rounds), "too few writes to mean anything")
			GinkgoWriter.Println("acknowledged writes:", total)
		}, patience)
	})
}

// ledger is what became of a writer's writes: their IDs, by outcome.
type ledger map[target.Outcome][]string

// write writes one row after the other until writing ends.
func (w *world) write(ctx, writing context.Context, writer int) ledger {
	l := make(ledger)
	for n := 0; writing.Err() == nil; n++ {
		id := fmt.Sprintf("%d-%d", writer, n)
		_, err := w.cluster.ExecuteOnRandom(ctx, w.sql("INSERT INTO {ns}.entries VALUES (?, ?)"), id, writer)
		outcome := target.OutcomeOf(err)
		l[outcome] = append(l[outcome], id)
	}
	return l
}

// written is how many rows an online node holds.
func (w *world) written(ctx context.Context) int64 {
	GinkgoHelper()
	result, err := w.cluster.Reading(target.Local).ExecuteOnRandom(ctx, w.sql("SELECT count(*) FROM {ns}.entries"))
	Expect(err).NotTo(HaveOccurred())
	count, err := result.Value()
	Expect(err).NotTo(HaveOccurred())
	return count.(int64)
}
