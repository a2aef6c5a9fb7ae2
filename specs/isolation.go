package specs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/isolation"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// isolationLevels are specs about what the isolation levels of interactive transactions prevent. An anomaly that a level
// allows is reported, and fails nothing.
func isolationLevels(env *environment) {
	Describe("Interactive transactions", Label("suite:isolation", "needs:transactions"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.requires(target.Transactions)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})
		for _, a := range isolation.Anomalies() {
			It(fmt.Sprintf("do not show %s at a level that forbids it", a), func(ctx SpecContext) {
				var table, wrong []string
				for _, level := range env.cluster.Isolations() {
					for _, place := range env.places(ctx, level) {
						played := env.playAnomaly(ctx, a, level, place)
						allowed := "allowed"
						if a.ForbiddenAt(level) {
							allowed = "forbidden"
						}
						table = append(table, fmt.Sprintf("%-9s %-17s %-18s %-10s %s", a.Name, level, place.name, allowed, played.Verdict))
						if played.Verdict == isolation.Happens && a.ForbiddenAt(level) {
							wrong = append(wrong, fmt.Sprintf("%s happened at the level %q, which forbids it, %s. %s\n%s",
								a, level, place.name, a.Sentence, played.Text))
						}
					}
				}
				AddReportEntry("isolation levels", shown(strings.Join(table, "\n")), ReportEntryVisibilityAlways)
				Expect(table).NotTo(BeEmpty(), "the target has no isolation level")
				if len(wrong) > 0 {
					Fail(strings.Join(wrong, "\n\n"))
				}
			}, env.patience)
		}
	})

	Describe("A history of interactive transactions while nodes are lost and return",
		Label("suite:isolation", "suite:histories", "fault:isolate", "fault:crash", "fault:disk", "needs:transactions"), func() {
			BeforeEach(func(ctx SpecContext) {
				env.requires(target.Transactions)
				env.needs(3)
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			})

			DescribeTable("keeps the strongest level of the target",
				func(ctx SpecContext, made func(string, target.Isolation) workload.Workload, rules map[target.Isolation]types.GomegaMatcher) {
					levels := env.cluster.Isolations()
					level := levels[len(levels)-1]
					rule, judged := rules[level]
					if !judged {
						Skip(fmt.Sprintf("the target's strongest isolation level is %q, which does not promise that", level))
					}
					running := env.work(ctx, made(env.ns, level))
					env.loseOneAfterTheOther(ctx, running)
					Expect(env.cluster.Heal(ctx)).To(Succeed())
					env.eventually(ctx, func() int { return running.Tally().OK }).WithTimeout(env.pace.work()).Should(BeNumerically(">=", 200))
					Expect(running.Finish(ctx)).To(Succeed())
					Expect(env.cluster.VerifyInvariants(ctx)).To(Succeed())
					GinkgoWriter.Println(level, running.Tally())
					Expect(env.cluster.Journal()).To(And(rule, HaveOneLeaderATerm()))
				},
				Entry("of lists", env.patience, workload.InteractiveLists, transactionRules),
				Entry("of registers", env.patience, workload.InteractiveRegisters, transactionRules),
				Entry("of a bank", env.patience, workload.InteractiveBank, map[target.Isolation]types.GomegaMatcher{
					target.Snapshot: KeepTheTotal(), target.Serializable: KeepTheTotal(),
				}),
			)
		})
}

// transactionRules are what histories of transactions on lists and registers keep at each level.
var transactionRules = map[target.Isolation]types.GomegaMatcher{
	target.ReadCommitted:  BeReadCommitted(),
	target.RepeatableRead: BeRepeatableRead(),
	target.Snapshot:       BeSnapshotIsolated(),
	target.Serializable:   BeSerializable(),
}

// place is where the transactions of an anomaly begin.
type place struct {
	name  string
	nodes []int
}

// places are one node, and several if more than one takes transactions that write.
func (env *environment) places(ctx context.Context, level target.Isolation) []place {
	GinkgoHelper()
	env.run(ctx, "CREATE TABLE IF NOT EXISTS {ns}.places (id INTEGER PRIMARY KEY)")
	Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
	var writable []int
	var refused error
	env.eventually(ctx, func(ctx context.Context) error {
		writable, refused = nil, nil
		for _, node := range env.cluster.Nodes() {
			if err := env.takesWrites(ctx, node, level); err != nil {
				refused = errors.Join(refused, err)
				continue
			}
			writable = append(writable, node.Index())
		}
		if len(writable) == 0 {
			return fmt.Errorf("no node takes a transaction that writes: %w", refused)
		}
		return nil
	}).Should(Succeed())
	one := place{"at one node", writable[:1]}
	if len(writable) == 1 {
		return []place{one}
	}
	return []place{one, {"at several nodes", writable}}
}

// takesWrites returns an error if a node takes no transaction that writes.
func (env *environment) takesWrites(ctx context.Context, node *harness.Node, level target.Isolation) error {
	ctx, cancel := context.WithTimeout(ctx, env.pace.request())
	defer cancel()
	tx, err := node.Begin(ctx, level)
	if err != nil {
		return err
	}
	_, err = tx.Execute(ctx, env.sql("DELETE FROM {ns}.places WHERE id = 1"))
	return errors.Join(err, tx.Rollback(ctx))
}

// playAnomaly plays an anomaly, again if another fault than a conflict disturbed it: a busy machine may end a leadership.
func (env *environment) playAnomaly(ctx context.Context, a isolation.Anomaly, level target.Isolation, at place) (played isolation.Played) {
	GinkgoHelper()
	env.eventually(ctx, func(ctx context.Context) (err error) {
		played, err = a.Play(ctx, isolation.Setting{
			Cluster: env.cluster, Table: env.sql("{ns}.t"), Level: level, Nodes: slices.Clone(at.nodes),
			Wait: max(250*time.Millisecond, env.pace.elections(2)), Limit: env.pace.request(),
		})
		if err != nil && !errors.Is(err, isolation.ErrDisturbed) {
			return StopTrying("the anomaly cannot be played").Wrap(err)
		}
		return err
	}).WithTimeout(env.pace.work()).Should(Succeed())
	return played
}
