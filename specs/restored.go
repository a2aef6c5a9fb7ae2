package specs

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// restored are specs about a node that was restored from a snapshot: everything in it must
// work, on a follower and on the leader, and in snapshots that the node sends itself.
func restored(env *environment) {
	Describe("A node restored from a snapshot", Label("suite:restored", "fault:isolate", "speed:slow"), func() {
		It("works completely, also as the leader, and sends complete snapshots", func(ctx SpecContext) {
			env.needs(3)
			env.assumes(target.SQLite, target.Namespaces, target.SystemTables, target.Compacts)
			m := env.openMachinery(ctx)
			env.run(ctx, "CREATE NAMESPACE {ns}_old; CREATE TABLE {ns}_old.t (v); CREATE TRIGGER {ns}.dropped AFTER UPDATE ON {ns}.goods "+
				"BEGIN INSERT INTO {ns}.audit (what) VALUES ('by a dropped trigger'); END")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			leader := env.leader(ctx)
			m.remembers(ctx, env.node(leader))
			m.works(ctx, env.node(leader))

			By("isolating a node while objects are created and dropped, until the log is compacted")
			victim := env.others(leader)[0]
			env.awayUntilGone(ctx, victim, func() {
				m.skews(ctx)
				m.moves = true
				env.patiently(ctx, `DROP TRIGGER {ns}.dropped; DROP NAMESPACE {ns}_old CASCADE; DELETE FROM {ns}.pairs WHERE b = 2;
					CREATE TRIGGER {ns}.moves AFTER UPDATE OF maker ON {ns}.goods BEGIN INSERT INTO {ns}.audit (what, good) VALUES ('moved', new.id); END`)
			})
			m.works(ctx, env.node(victim))

			By("making it the leader")
			env.lead(ctx, victim)
			m.works(ctx, env.node(victim))

			By("having it send a snapshot")
			next := env.others(victim)[0]
			env.awayUntilGone(ctx, next, func() {})
			if env.cluster.Can(target.Time) { // no leadership ends there without a fault
				Expect(env.leader(ctx)).To(Equal(victim), "another node sent the snapshot")
			}
			m.works(ctx, env.node(next))
		}, env.patience)

		It("restarts from it without other nodes, and leaves no files", Label("fault:crash"), func(ctx SpecContext) {
			env.needs(3)
			env.assumes(target.SQLite, target.Namespaces, target.SystemTables, target.Compacts)
			env.requires(target.Crash)
			m := env.openMachinery(ctx)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO {ns}.t VALUES (1, 'old'), (2, 'deleted')")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			victim := env.others(env.leader(ctx))[0]
			own := env.node(victim).Inside().AsIs().Reading(target.Local)
			before := statusOf(ctx, env.node(victim))
			env.leave(ctx, victim)
			m.skews(ctx)
			env.patiently(ctx, "UPDATE {ns}.t SET v = 'new' WHERE id = 1; DELETE FROM {ns}.t WHERE id = 2")
			env.writeUntilGone(ctx, before.CommitIndex)

			By("crashing it as soon as it is restored")
			Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			var sent target.Status
			env.eventually(ctx, func(ctx context.Context) uint64 {
				sent = statusOf(ctx, env.node(victim))
				return sent.Restores
			}).Should(BeNumerically(">", before.Restores))
			env.leave(ctx, victim, fault.Crash)

			By("starting it alone")
			others := env.others(victim)
			for _, other := range others {
				env.leave(ctx, other)
			}
			Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			env.eventually(ctx, func(ctx context.Context) (harness.Result, error) {
				return own.Execute(ctx, env.sql("SELECT id, v FROM {ns}.t"))
			}).
				Should(HaveRows(Row(1, "new")))
			Expect(sent.SnapshotIndex).To(BeNumerically(">", before.CommitIndex), "its status does not show the snapshot")
			again := statusOf(ctx, env.node(victim))
			Expect(again.SnapshotIndex).To(BeNumerically(">=", sent.SnapshotIndex), "it has an older snapshot than the one it received")
			Expect(again.AppliedIndex).To(BeNumerically(">=", sent.SnapshotIndex))
			Expect(again.Term).To(BeNumerically(">=", sent.Term))
			env.comeBack(ctx, others...)
			Expect(env.cluster.WaitForNodeOnline(ctx, victim)).To(Succeed())

			By("restoring it again without a restart, after rows were deleted")
			env.awayUntilGone(ctx, victim, func() {
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (3, 'newer'); DELETE FROM {ns}.t WHERE id = 1")
			})
			Expect(own.Execute(ctx, env.sql("SELECT id, v FROM {ns}.t"))).To(HaveRows(Row(3, "newer")))
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t"), env.sql("SELECT * FROM {ns}.churn")))
			m.works(ctx, env.node(victim))

			By("isolating it for a few entries, while the others take a snapshot")
			env.awayForAFew(ctx, victim)

			By("restarting all nodes, each from its newest snapshot")
			for _, node := range env.cluster.Nodes() {
				env.leave(ctx, node.Index(), fault.Crash)
			}
			env.comeBack(ctx, append(others, victim)...)
			m.works(ctx, env.node(victim))
			env.leavesNothing(ctx)
		}, env.patience)
	})
}

// awayForAFew isolates a node for fewer entries than are kept behind a snapshot while one is
// taken. The node must catch up from the log.
func (env *environment) awayForAFew(ctx context.Context, node int) {
	GinkgoHelper()
	const threshold, few, margin = 256, 48, 24 // as ginkgo.yml has it, which keeps 64
	leader := env.leader(ctx)
	since := func() int {
		now := statusOf(ctx, env.node(leader))
		return int(now.CommitIndex - now.SnapshotIndex)
	}
	const atOnce = 8
	for range max(threshold-margin-since(), 0) / atOnce {
		atOneTime(atOnce, func(int) { env.runOn(ctx, env.node(leader), "INSERT INTO {ns}.churn DEFAULT VALUES") })
	}
	before := statusOf(ctx, env.node(node))
	if n := since(); n < threshold-2*margin || n > threshold {
		Skip(fmt.Sprintf("the spec needs nodes that take a snapshot after %d entries, and one has taken none after %d", threshold, n))
	}
	env.leave(ctx, node)
	for range few {
		env.runOn(ctx, env.node(leader), "INSERT INTO {ns}.churn DEFAULT VALUES")
	}
	env.eventually(ctx, func(ctx context.Context) uint64 { return statusOf(ctx, env.node(leader)).SnapshotIndex }).
		Should(BeNumerically(">", before.CommitIndex), "the leader has taken no snapshot")
	env.comeBack(ctx, node)
	Expect(statusOf(ctx, env.node(node)).Restores).To(Equal(before.Restores), "the log behind a snapshot has fewer than %d entries", few)
	Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.churn")))
}

// leavesNothing proves that no node keeps temporary files of snapshots, or more snapshots than
// it should.
func (env *environment) leavesNothing(ctx context.Context) {
	GinkgoHelper()
	if !env.cluster.Can(target.Files) || !env.holds(target.EmbeddedFiles) {
		return
	}
	const retained = 2
	for _, node := range env.cluster.Nodes() {
		env.eventually(ctx, func(ctx context.Context) ([]string, error) {
			files, err := node.Files(ctx)
			var left, snapshots []string
			for _, file := range files {
				switch name := path.Base(file); {
				case strings.HasPrefix(name, "."), path.Ext(name) == ".db" && name != "state.db":
					left = append(left, file)
				case path.Dir(file) == disk.SnapshotDir:
					snapshots = append(snapshots, file)
				}
			}
			return append(left, snapshots[:max(len(snapshots)-retained, 0)]...), err
		}).Should(BeEmpty(), "%s keeps files that it does not need", node)
	}
}

// awayUntilGone isolates a node and calls do, until the others have compacted their logs. The
// node must catch up from a snapshot.
func (env *environment) awayUntilGone(ctx context.Context, node int, do func()) {
	GinkgoHelper()
	before := statusOf(ctx, env.node(node))
	env.leave(ctx, node)
	do()
	env.writeUntilGone(ctx, before.CommitIndex)
	env.comeBack(ctx, node)
	Expect(statusOf(ctx, env.node(node)).Restores).To(BeNumerically(">", before.Restores), "it recovered without a snapshot")
}

// writeUntilGone writes into {ns}.churn until no online node has the index in its log.
func (env *environment) writeUntilGone(ctx context.Context, index uint64) {
	GinkgoHelper()
	leader := env.node(env.leader(ctx))
	env.eventually(ctx, func(g Gomega, ctx context.Context) {
		atOneTime(16, func(int) {
			for range 3 {
				env.runOn(ctx, leader, "INSERT INTO {ns}.churn DEFAULT VALUES")
			}
		})
		for _, node := range env.cluster.OnlineNodes() {
			now := statusOf(ctx, node)
			g.Expect(now.LogEntries).To(BeNumerically(">", 0), "%s does not show the length of its log", node)
			g.Expect(now.CommitIndex).To(BeNumerically(">=", index+now.LogEntries), "%s has not compacted its log", node)
		}
	}).WithTimeout(env.pace.work()).Should(Succeed())
}

// lead makes a node the leader: it isolates the leader until the node is elected.
func (env *environment) lead(ctx context.Context, node int) {
	GinkgoHelper()
	env.eventually(ctx, func(g Gomega, ctx context.Context) {
		leader := env.leader(ctx)
		if leader != node {
			env.leave(ctx, leader)
			env.eventually(ctx, func(ctx context.Context) (int, error) { return env.cluster.Leader(ctx) }).ShouldNot(Equal(leader))
			env.comeBack(ctx, leader)
		}
		g.Expect(env.cluster.Leader(ctx)).To(Equal(node))
	}).WithTimeout(env.pace.work()).Should(Succeed())
}

// machinery is the objects of fixtures/machinery.sql, and their expected state.
type machinery struct {
	env      *environment
	sequence int // the last rowid given to goods
	round    int
	moves    bool  // whether the trigger "moves" exists
	fresh    any   // the connection state that a new request reads
	latest   int64 // the time of the latest row, in milliseconds
	answers  map[string]harness.Result
}

// tables are queries of all rows and the schema of the machinery.
var tables = []string{
	"SELECT * FROM {ns}.goods ORDER BY id", "SELECT * FROM {ns}.audit ORDER BY id", "SELECT * FROM {ns}.makers ORDER BY id",
	"SELECT * FROM {ns}.shelf ORDER BY good, maker", "SELECT * FROM {ns}.prices ORDER BY maker", "SELECT * FROM {ns}.pairs ORDER BY a, " +
		"b", "SELECT * FROM sqlite_sequence ORDER BY name",
	"SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name", "SELECT name FROM rejoin_namespaces ORDER BY name",
}

// named are requests with IDs, with answers that are small, long, and too long to be kept.
var named = map[string]string{
	"small": "INSERT INTO {ns}.audit (what) VALUES (?) RETURNING id, what, NULL AS none",
	"long":  "INSERT INTO {ns}.audit (what) VALUES (?) RETURNING id, what, CAST(printf('%.2000c', 'x') AS BLOB) AS long, -1.5 AS number",
	"gone":  "INSERT INTO {ns}.audit (what) VALUES (?) RETURNING id, what, zeroblob(70000) AS most",
}

// openMachinery creates the machinery and {ns}.churn.
func (env *environment) openMachinery(ctx context.Context) *machinery {
	GinkgoHelper()
	env.run(ctx, readFixture("machinery.sql"))
	env.run(ctx, "CREATE TABLE {ns}.churn (n INTEGER PRIMARY KEY)")
	return &machinery{env: env, sequence: 100}
}

// skews makes the leader write with a clock that is an hour ahead. Later writes must not get an
// earlier time.
func (m *machinery) skews(ctx context.Context) {
	GinkgoHelper()
	env := m.env
	if !env.cluster.Can(target.Clocks) {
		return
	}
	var begun time.Time
	env.undisturbed(ctx, func(leader int) {
		Expect(env.cluster.SetClock(ctx, leader, time.Hour)).To(Succeed())
		begun = time.Now()
		env.patiently(ctx, "UPDATE {ns}.goods SET at = CAST(unixepoch('subsec') * 1000 AS INTEGER)")
		Expect(env.cluster.SetClock(ctx, leader, 0)).To(Succeed())
	})
	at, err := env.run(ctx, "SELECT max(at) FROM {ns}.goods").Value()
	Expect(err).NotTo(HaveOccurred())
	m.latest = at.(int64)
	Expect(time.UnixMilli(m.latest)).To(BeTemporally("~", begun.Add(time.Hour), time.Minute), "its clock is not skewed")
}

func (m *machinery) key(name string) string { return m.env.ns + "-" + name }

// remembers sends the named requests for the first time.
func (m *machinery) remembers(ctx context.Context, node *harness.Node) {
	GinkgoHelper()
	m.answers = make(map[string]harness.Result)
	for _, name := range []string{"small", "long", "gone"} {
		answer, err := m.env.keyedOn(ctx, node, m.key(name), named[name], name)
		Expect(err).NotTo(HaveOccurred())
		m.answers[name] = answer
	}

	// A request without an ID is remembered for a while as well.
	unnamed, err := node.Query(ctx, m.env.sql("INSERT INTO {ns}.audit (what) VALUES ('unnamed')"))
	Expect(err).NotTo(HaveOccurred())
	for unnamed.NextResult() {
	}
	Expect(unnamed.Err()).NotTo(HaveOccurred())
	Expect(unnamed.Close()).To(Succeed())
}

// recalls repeats the named requests.
func (m *machinery) recalls(ctx context.Context, node *harness.Node) {
	GinkgoHelper()
	if m.answers == nil || !m.env.cluster.Can(target.Dedup) {
		return
	}
	for _, name := range []string{"small", "long"} {
		answer, err := m.env.keyedOn(ctx, node, m.key(name), named[name], name)
		Expect(err).NotTo(HaveOccurred(), name)
		Expect(answer.Tables).To(Equal(m.answers[name].Tables), "the repeated %s request has another answer", name)
		_, err = m.env.keyedOn(ctx, node, m.key(name), named[name], "another")
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), "the ID of the %s request is forgotten: %v", name, err)
	}
	_, err := m.env.keyedOn(ctx, node, m.key("gone"), named["gone"], "gone")
	Expect(err).To(HaveOccurred())
	Expect(target.OutcomeOf(err)).To(Equal(target.Applied), "%v", err)
}

// works uses the machinery through one node, and verifies the effects there.
func (m *machinery) works(ctx context.Context, node *harness.Node) {
	GinkgoHelper()
	env := m.env
	m.round++
	name := fmt.Sprintf("good %c", 'a'+m.round)
	own := node.Reading(target.Local)
	has := func(sql string, args ...any) harness.Result {
		GinkgoHelper()
		result, err := own.Execute(ctx, env.sql(sql), args...)
		Expect(err).NotTo(HaveOccurred(), sql)
		return result
	}
	heard := func(what ...string) { // and nothing else since the last call
		GinkgoHelper()
		var rows [][]any
		for _, text := range what {
			rows = append(rows, Row(text))
		}
		Expect(has("SELECT what FROM {ns}.audit WHERE good > 0 ORDER BY id")).To(HaveRows(rows...))
		env.runOn(ctx, node, "DELETE FROM {ns}.audit WHERE good > 0")
	}
	refused := func(sql, reason string, args ...any) {
		GinkgoHelper()
		_, err := node.ExecuteWithRetry(ctx, env.sql(sql), args...)
		Expect(err).To(MatchError(ContainSubstring(env.sql(reason))), sql)
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), sql)
	}

	m.recalls(ctx, node)
	_, err := own.Execute(ctx, env.sql("SELECT * FROM {ns}_empty.missing"))
	Expect(err).To(MatchError(ContainSubstring("no such table")), "an empty namespace is lost")
	env.runOn(ctx, node, "DELETE FROM {ns}.audit WHERE good > 0")

	// A sequence, defaults, generated columns and a trigger.
	m.sequence++
	id := m.sequence
	added := env.runOn(ctx, node, "INSERT INTO {ns}.goods (name, maker, rival) VALUES (?, 1, 2) RETURNING id, price, shown, label, "+
		"twice, at", name)
	Expect(added).To(HaveRows(Row(id, 7, 1, strings.ToUpper(name)+" 7", 14, BeNumerically(">=", m.latest))),
		"time ran backwards, or a default changed")
	m.latest = added.Rows()[0][5].(int64)
	Expect(has("SELECT good, maker, twice FROM {ns}.shelf WHERE good = ?", strings.ToUpper(name))).To(HaveRows(Row(name, "Ada", 14)))
	Expect(has("SELECT dearest FROM {ns}.prices WHERE maker = 1")).To(HaveRows(Row(BeNumerically(">=", 7))))
	heard("added " + strings.ToUpper(name) + " 7")

	// Triggers with conditions, on a view, and with RAISE.
	env.runOn(ctx, node, "UPDATE {ns}.goods SET price = 5 WHERE id = ?", id)
	heard()
	env.runOn(ctx, node, "UPDATE {ns}.goods SET price = price + 1000 WHERE id = ?", id)
	heard("raised 5 to 1005")
	refused("DELETE FROM {ns}.goods WHERE id = ?", "it is too dear to go", id)
	m.sequence++
	env.runOn(ctx, node, "INSERT INTO {ns}.shelf (good, twice) VALUES (?, 6)", name+" too")
	heard("added " + strings.ToUpper(name) + " TOO 3")

	// Indexes, unique indexes and checks.
	Expect(has("SELECT id FROM {ns}.goods INDEXED BY {ns}.shown_once WHERE name = ? AND shown", strings.ToUpper(name))).To(HaveRows(Row(id)))
	Expect(has("SELECT id FROM {ns}.goods INDEXED BY {ns}.one_of_a_price WHERE length(name) = 6 AND price > 1000")).To(HaveRows(Row(id)))
	Expect(has("SELECT id FROM {ns}.goods INDEXED BY {ns}.by_price WHERE price = 1005")).To(HaveRows(Row(id)))
	Expect(has("SELECT v FROM {ns}.pairs WHERE a = 'a   ' AND b = 1")).To(HaveRows(Row("first")))
	refused("INSERT INTO {ns}.goods (name) VALUES (?)", "UNIQUE constraint failed", strings.ToUpper(name))
	refused("INSERT INTO {ns}.goods (name, price, shown) VALUES ('sooner', 1005, 0)", "UNIQUE constraint failed: index")
	refused("INSERT INTO {ns}.makers (name) VALUES ('ada')", "UNIQUE constraint failed")
	refused("INSERT INTO {ns}.pairs VALUES ('a  ', 1, 'again')", "UNIQUE constraint failed")
	refused("INSERT INTO {ns}.goods (name, price) VALUES ('free', -1)", "CHECK constraint failed")
	refused("INSERT INTO {ns}.goods (name) VALUES (NULL)", "NOT NULL constraint failed")
	refused("INSERT INTO {ns}.goods (name, label) VALUES ('own', 'own')", "generated column")
	refused("INSERT INTO {ns}.strict VALUES ('one', 'two')", "cannot store TEXT value")

	// Foreign keys, immediate and deferred.
	refused("INSERT INTO {ns}.goods (name, maker) VALUES ('orphan', 77)", "FOREIGN KEY constraint failed")
	refused("INSERT INTO {ns}.goods (name, rival) VALUES ('orphan', 77)", "FOREIGN KEY constraint failed")
	env.runOn(ctx, node, "INSERT INTO {ns}.makers VALUES (3, 'Edsger'); UPDATE {ns}.goods SET maker = 3, rival = NULL, price = 0 WHERE "+
		"id = ?; UPDATE {ns}.makers SET id = 4 WHERE id = 3", id)
	Expect(has("SELECT maker FROM {ns}.goods WHERE id = ?", id)).To(HaveRows(Row(4)))
	if m.moves {
		heard("moved", "moved")
	}
	env.runOn(ctx, node, "UPDATE {ns}.goods SET rival = 4, maker = 2 WHERE id = ?", id)
	env.runOn(ctx, node, "INSERT INTO {ns}.goods (id, name, maker) VALUES (?, 'short-lived', 4); DELETE FROM {ns}.makers WHERE id = 4", id+10)
	m.sequence = id + 10
	Expect(has("SELECT id, maker, rival FROM {ns}.goods WHERE id >= ? ORDER BY id", id)).To(HaveRows(Row(id, 2, nil), Row(id+1, nil, nil)))

	// Schema changes, namespaces, and the connection state that a new request reads.
	env.runOn(ctx, node, "CREATE TABLE {ns}.made (v); CREATE INDEX {ns}.made_by_v ON {ns}.made (v); INSERT INTO {ns}.made VALUES (1)")
	Expect(has("SELECT v FROM {ns}.made INDEXED BY {ns}.made_by_v WHERE v = 1")).To(HaveRows(Row(1)))
	env.runOn(ctx, node, "DROP TABLE {ns}.made")
	refused("CREATE NAMESPACE {ns}_empty", "already exists")
	refused("DROP NAMESPACE {ns}", "is not empty")
	fresh := env.runOn(ctx, node, "INSERT INTO {ns}.audit (what) VALUES (last_insert_rowid() || ' ' || changes()) RETURNING what").Rows()[0][0]
	if m.fresh == nil {
		m.fresh = fresh
	}
	Expect(fresh).To(Equal(m.fresh), "a request reads connection state that an earlier one left")
	for _, query := range tables {
		Expect(env.cluster).To(BeConsistent(env.sql(query)))
	}
}
