package specs

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// away are specs about a node that executes changes long after the others. A database that asks each replica's clock, or
// its random numbers, then has other rows there: CURRENT_TIMESTAMP has a resolution of one second, so that a node which is
// away for less may be lucky.
func away(env *environment) {
	Describe("A node that executes changes seconds after the others", Label("suite:away", "speed:slow"), func() {
		DescribeTable("gives them the same times and random values",
			func(ctx SpecContext, mode fault.Mode) {
				env.needs(3)
				env.assumes(target.SQLite, target.SameEverywhere)
				if mode == fault.Crash {
					env.requires(target.Crash)
				}
				env.run(ctx, `CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP, n INTEGER DEFAULT (random()),
					later TEXT, chance TEXT)`)
				env.run(ctx, "INSERT INTO {ns}.t (id) VALUES (0)")
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				victim := env.others(env.leader(ctx))[0]
				before := statusOf(ctx, env.node(victim)).AppliedIndex
				env.leave(ctx, victim, mode)

				rows := 1
				env.eventually(ctx, func(ctx context.Context) any {
					env.letTimePass(ctx)
					env.patiently(ctx, "INSERT INTO {ns}.t (id, later, chance) VALUES (?, datetime('now', '+1 day'), hex(randomblob(8)))", rows)
					env.patiently(ctx, "INSERT INTO {ns}.t (id, n) SELECT ?, random()", rows+1)
					env.patiently(ctx, "UPDATE {ns}.t SET later = CURRENT_TIME, chance = random() WHERE id = ?", rows+1)
					rows += 2
					return env.value(ctx, "SELECT count(DISTINCT at) FROM {ns}.t WHERE id > 0")
				}).WithPolling(100*time.Millisecond).WithTimeout(env.pace.work()).
					Should(BeNumerically(">=", 4), "the time of the database stands still")
				if mode == fault.Isolate {
					Expect(statusOf(ctx, env.node(victim)).AppliedIndex).To(Equal(before), "the node was not away")
				}

				env.comeBack(ctx, victim)
				Expect(statusOf(ctx, env.node(victim)).AppliedIndex).To(BeNumerically(">", before))
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t ORDER BY id")))
				Expect(env.value(ctx, "SELECT count(*) - count(DISTINCT n) FROM {ns}.t")).To(BeEquivalentTo(0), "random values repeat")
			},
			Entry("after it was isolated", env.patience, Label("fault:isolate"), fault.Isolate),
			Entry("after it crashed", env.patience, Label("fault:crash"), fault.Crash),
		)
	})
}

// letTimePass advances virtual time. Real time passes by itself.
func (env *environment) letTimePass(ctx context.Context) {
	GinkgoHelper()
	if env.cluster.Can(target.Time) {
		Expect(env.cluster.Advance(ctx, 300*time.Millisecond)).To(Succeed())
	}
}

// value is the answer of one row and one column, with retries.
func (env *environment) value(ctx context.Context, sql string) any {
	GinkgoHelper()
	value, err := env.patiently(ctx, sql).Value()
	Expect(err).NotTo(HaveOccurred())
	return value
}
