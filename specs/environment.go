package specs

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// environment is the fixture of a spec of the suite: a running cluster, and a namespace in it.
type environment struct {
	options  Options
	pace     Pace
	patience SpecTimeout // of each spec, in real time
	cluster  *harness.Cluster
	booted   target.Cluster // what the target booted, below the harness
	ns       string
	heard    uint64 // harnesses over the cluster besides the spec's own
	held     int    // files, sockets and processes that were there before the cluster
}

func newEnvironment(options Options) *environment {
	return &environment{options: options, pace: options.Pace, patience: SpecTimeout(options.Pace.Spec)}
}

// slowDown gives the nodes a longer election timeout.
func (env *environment) slowDown(pacer target.Pacer, election time.Duration) {
	election = max(election, env.pace.Election)
	env.options.Target = pacer.AtPace(election)
	env.pace = env.pace.slowedTo(election)
}

// begin boots the cluster of the spec, and creates its namespace.
func (env *environment) begin(ctx SpecContext) {
	if env.options.Target == nil {
		Fail("specs.Options.Target is missing")
	}
	skipForetold(env.options.Target)
	env.heard, env.cluster, env.held = 0, nil, len(heldResources())
	options := []harness.Option{harness.Size(env.options.Nodes), harness.Journal(journal.New(env.pace.events()))}
	env.cluster = bootCluster(ctx, env.noting(env.options.Target), append(options, env.options.Cluster...))
	env.ns = Namespace(ctx, env.cluster)
}

// noting returns the target; the environment keeps the cluster that it boots.
func (env *environment) noting(t target.Target) target.Target {
	return target.Decorate(t, func(c target.Cluster) (target.Cluster, error) {
		env.booted = c
		return c, nil
	})
}

// specSeed comes from Ginkgo's seed and the spec's own name, so that a spec
// makes the same choices alone and among others.
func specSeed() uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", GinkgoRandomSeed(), CurrentSpecReport().FullText())
	return h.Sum64()
}

// sql replaces {ns} by the spec's namespace.
func (env *environment) sql(text string) string { return strings.ReplaceAll(text, "{ns}", env.ns) }

// run executes a statement on a random online node and expects success. In virtual time the
// first try must succeed if the database holds writes while a leader is elected. Otherwise it
// retries: on a real clock, a busy machine may end a leadership without a fault.
func (env *environment) run(ctx context.Context, sql string, args ...any) harness.Result {
	GinkgoHelper()
	execute := env.cluster.ExecuteWithRetry
	if env.firstTry() {
		execute = env.cluster.ExecuteOnRandom
	}
	result, err := execute(ctx, env.sql(sql), args...)
	if env.appliedBefore(err) {
		return result
	}
	Expect(err).NotTo(HaveOccurred())
	return result
}

// runOn is run, on one node.
func (env *environment) runOn(ctx context.Context, node *harness.Node, sql string, args ...any) harness.Result {
	GinkgoHelper()
	result, err := env.finally(ctx, node, sql, args...)
	if env.appliedBefore(err) {
		return result
	}
	Expect(err).NotTo(HaveOccurred())
	return result
}

// finally executes a statement on a node, and returns its final answer. It retries as run does.
func (env *environment) finally(ctx context.Context, node *harness.Node, sql string, args ...any) (harness.Result, error) {
	execute := node.ExecuteWithRetry
	if env.firstTry() {
		execute = node.Execute
	}
	return execute(ctx, env.sql(sql), args...)
}

// openShop creates the tables of fixtures/shop.sql and fills them.
func (env *environment) openShop(ctx context.Context) {
	GinkgoHelper()
	env.run(ctx, readFixture("shop.sql"))
}

// patiently executes a statement with retries, as a careful client does, and expects success.
func (env *environment) patiently(ctx context.Context, sql string, args ...any) harness.Result {
	GinkgoHelper()
	result, err := env.cluster.ExecuteWithRetry(ctx, env.sql(sql), args...)
	if env.appliedBefore(err) {
		return result
	}
	Expect(err).NotTo(HaveOccurred())
	return result
}

// appliedBefore tells whether a request failed because an earlier attempt, whose answer was lost, was applied: so answers a
// database that does not know a request again.
func (env *environment) appliedBefore(err error) bool {
	return err != nil && !env.cluster.Can(target.Dedup) && target.OutcomeOf(err) == target.Unknown &&
		(errors.Is(err, target.ErrConstraint) || errors.Is(err, target.ErrExists))
}

// leave takes a node offline; default fault.Isolate. It skips the spec on targets that cannot isolate a node.
func (env *environment) leave(ctx context.Context, node int, mode ...fault.Mode) {
	GinkgoHelper()
	if len(mode) == 0 || mode[0] == fault.Isolate {
		env.requires(target.Isolate)
	}
	Expect(env.cluster.TakeNodeOffline(ctx, node, mode...)).To(Succeed())
}

// comeBack brings nodes back, and waits until they and the leader are online.
func (env *environment) comeBack(ctx context.Context, nodes ...int) {
	GinkgoHelper()
	for _, node := range nodes {
		Expect(env.cluster.BringNodeOnline(ctx, node)).To(Succeed())
	}
	for _, node := range nodes {
		Expect(env.cluster.WaitForNodeOnline(ctx, node)).To(Succeed())
	}
	env.led(ctx)
}

// led waits until a leader is online. After a node is back, the leader may need a moment more until another node can take over.
func (env *environment) led(ctx context.Context) {
	GinkgoHelper()
	env.eventually(ctx, func(ctx context.Context) error {
		leader, err := env.cluster.Leader(ctx)
		if err != nil {
			return err
		}
		status, err := env.node(leader).Status(ctx)
		if err == nil && status.State != target.Online {
			err = fmt.Errorf("%s leads, and is %s: %s", env.node(leader), status.State, status.Reason)
		}
		return err
	}).Should(Succeed())
}

// whole waits until all nodes are online, as led does for the leader.
func (env *environment) whole(ctx context.Context) {
	GinkgoHelper()
	Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
}

// comeBackAs is comeBack of one node, with options.
func (env *environment) comeBackAs(ctx context.Context, node int, options ...harness.ReturnOption) {
	GinkgoHelper()
	Expect(env.cluster.BringNodeOnline(ctx, node, options...)).To(Succeed())
	Expect(env.cluster.WaitForNodeOnline(ctx, node)).To(Succeed())
	env.led(ctx)
}

// others are the indexes of all nodes but one.
func (env *environment) others(but int) (others []int) {
	for _, node := range env.cluster.Nodes() {
		if node.Index() != but {
			others = append(others, node.Index())
		}
	}
	return others
}

// leader waits for a leader and returns its index.
func (env *environment) leader(ctx context.Context) int {
	GinkgoHelper()
	var leader int
	env.eventually(ctx, func(ctx context.Context) (err error) {
		leader, err = env.cluster.Leader(ctx)
		return err
	}).Should(Succeed())
	return leader
}

// undisturbed calls do, and expects that the leader still leads in its term afterwards. On a
// real clock it retries, because a busy machine may end a leadership without a fault.
func (env *environment) undisturbed(ctx context.Context, do func(leader int)) {
	GinkgoHelper()
	attempt := func(ctx context.Context) error {
		leader := env.leader(ctx)
		term := statusOf(ctx, env.node(leader)).Term
		do(leader)
		if now := statusOf(ctx, env.node(leader)); now.Role != "leader" || now.Term != term {
			return fmt.Errorf("node %d led in term %d, and is now %s in term %d", leader, term, now.Role, now.Term)
		}
		return nil
	}
	if env.cluster.Can(target.Time) {
		Expect(attempt(ctx)).To(Succeed())
		return
	}
	env.eventually(ctx, attempt).WithTimeout(env.pace.work()).Should(Succeed())
}

// node is the node of that index, which must exist.
func (env *environment) node(i int) *harness.Node {
	GinkgoHelper()
	node, err := env.cluster.Node(i)
	Expect(err).NotTo(HaveOccurred())
	return node
}

// requires skips the spec on targets that lack one of the abilities.
func (env *environment) requires(abilities ...target.Ability) {
	GinkgoHelper()
	for _, ability := range abilities {
		if !env.cluster.Can(ability) {
			Skip(fmt.Sprintf("the target cannot %s", ability))
		}
	}
}

// holds tells whether the target declares the assumption.
func (env *environment) holds(a target.Assumption) bool { return target.Holds(env.booted, a) }

// assumes skips the spec on targets that do not declare one of the assumptions.
func (env *environment) assumes(assumptions ...target.Assumption) {
	GinkgoHelper()
	for _, a := range assumptions {
		if !env.holds(a) {
			Skip(fmt.Sprintf("the target does not declare that %s", a))
		}
	}
}

// firstTry tells whether a statement must succeed at the first try.
func (env *environment) firstTry() bool {
	return env.cluster.Can(target.Time) && env.holds(target.HoldsWrites)
}

// needs skips the spec on clusters with fewer nodes.
func (env *environment) needs(nodes int) {
	GinkgoHelper()
	if size := env.cluster.Size(); size < nodes {
		Skip(fmt.Sprintf("the spec needs %d nodes, and the cluster has %d", nodes, size))
	}
}
