package galera_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/harness/galera"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/specs"
)

// What the makers say.
const (
	firstWins   = "Galera Cluster, Supporting Transaction Isolation Levels: of transactions at different nodes the first committer wins"
	waits       = "not promised: MariaDB, wsrep_sync_wait: 0, the default, disables causality checks"
	positions   = "not promised: MariaDB, Recovering a Primary Component: a node that crashed is started at the position that --wsrep-recover finds"
	whole       = "MariaDB, COMMIT: a commit makes all changes of a transaction; one that cannot be certified ends with error 1213 and is rolled back"
	lockTimeout = "MariaDB, error 1205, ER_LOCK_WAIT_TIMEOUT: the statement could not get a lock; try restarting the transaction"
	flush       = "not promised: MariaDB, InnoDB System Variables, innodb_flush_log_at_trx_commit: with 0 a crash can erase the last second"
)

// rounds is how often all nodes are crashed at most.
const rounds = 6

const patience = SpecTimeout(6 * time.Minute)

var _ = Describe("Galera", func() {
	findings.It(findings.Finding{
		Title: "transactions at different nodes that read a row and then write it lose updates of each other", Setting: "defaults",
		Claim: firstWins, Layer: findings.Server, Upstream: "https://github.com/mariadb-corporation/galera/issues/618",
	}, func(ctx SpecContext, show *findings.Show) {
		lost, all := updates(ctx, show, galera.Options{LostUpdates: true}, target.RepeatableRead)
		if lost > 0 {
			show.Seen("%d of %d acknowledged updates are lost", lost, all)
		}
		without, all := updates(ctx, show, galera.Options{}, target.Snapshot)
		Expect(without).To(BeZero(), "acknowledged updates are lost with innodb_snapshot_isolation, of %d", all)
		show.Seen("with innodb_snapshot_isolation none of %d", all)
	}, patience)

	findings.It(findings.Finding{
		Title: "a read at one node does not show what another node has acknowledged", Setting: "defaults", Claim: waits, Expected: true,
		Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		stale, all := reads(ctx, show, galera.Options{StaleReads: true})
		if stale > 0 {
			show.Seen("%d of %d reads are stale", stale, all)
		}
		without, all := reads(ctx, show, galera.Options{})
		Expect(without).To(BeZero(), "reads are stale with wsrep_sync_wait=1, of %d", all)
		show.Seen("with wsrep_sync_wait=1 none of %d", all)
	}, patience)

	findings.It(findings.Finding{
		Title:   "nodes that all crashed and were started without their positions are Synced and Primary, and hold different rows",
		Setting: "started without --wsrep_start_position", Claim: positions, Expected: true, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		for round := 1; round <= rounds; round++ {
			c, w := crashed(ctx, show, galera.Options{Unrecovered: true})
			if different := w.different(ctx, c); different != "" {
				show.Seen("%s, of %d acknowledged rows, after %d crashes of all nodes", different, len(w.acknowledged), round)
				return
			}
		}
	}, SpecTimeout(10*time.Minute))

	findings.It(findings.Finding{
		Title:   "a transaction that another one was first to goes on when it prepares a statement, and the rest of it is committed",
		Setting: "innodb_snapshot_isolation=1, wsrep_sync_wait=1, prepared statements", Claim: whole, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		lost, all := halves(ctx, show, galera.Options{Prepared: true}, time.Minute)
		if lost > 0 {
			show.Seen("of %d acknowledged transactions %d had lost their first change, and did not show it themselves", all, lost)
		}
		without, all := halves(ctx, show, galera.Options{}, 20*time.Second)
		Expect(without).To(BeZero(), "acknowledged transactions lost their first change without prepared statements, of %d", all)
		show.Seen("with parameters in the text none of %d", all)
	}, patience)

	findings.It(findings.Finding{
		Title:   "a change of the schema at a node that loses the others is refused as a lock that took too long, and is applied",
		Setting: "lock_wait_timeout=3", Claim: lockTimeout, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		c, table := begin(ctx, show, galera.Options{})
		for round := range 20 {
			refused := refusals(ctx, c, fmt.Sprintf("%s_%d", table, round))
			there := 0
			for _, made := range refused {
				if _, err := c.Nodes()[0].ExecuteWithRetry(ctx, "SELECT * FROM "+made); err == nil {
					there++
				}
			}
			if there > 0 {
				show.Seen("of %d tables whose creation was refused with error 1205, %d are there", len(refused), there)
				return
			}
		}
	}, patience)

	findings.It(findings.Finding{
		Title: "acknowledged writes are lost when all nodes are killed", Setting: "innodb_flush_log_at_trx_commit=0", Claim: flush,
		Expected: true, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		for round := 1; round <= rounds; round++ {
			c, w := crashed(ctx, show, galera.Options{LazyFlush: true})
			if lost := w.lost(ctx, c.Nodes()[0]); lost > 0 {
				show.Seen("%d of %d acknowledged writes are lost, after %d crashes of all nodes", lost, len(w.acknowledged), round)
				return
			}
		}
	}, SpecTimeout(10*time.Minute))
})

// begin boots a cluster with a table of numbers.
func begin(ctx context.Context, show *findings.Show, options galera.Options) (c *harness.Cluster, table string) {
	GinkgoHelper()
	c = show.Cluster(ctx, keeping{options})
	table = specs.Namespace(ctx, c) + ".numbers"
	Expect(c.ExecuteWithRetry(ctx, "CREATE TABLE "+table+" (k INTEGER NOT NULL, n INTEGER NOT NULL)")).Error().NotTo(HaveOccurred())
	return c, table
}

// updates has a client at each node add one to a row by a transaction, again and again, and counts what is missing.
func updates(ctx context.Context, show *findings.Show, options galera.Options, level target.Isolation) (lost, all int64) {
	GinkgoHelper()
	c, table := begin(ctx, show, options)
	Expect(c.ExecuteWithRetry(ctx, "INSERT INTO "+table+" VALUES (1, 0)")).Error().NotTo(HaveOccurred())
	Expect(c.WaitForAllOnline(ctx)).To(Succeed())
	working, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	var mu sync.Mutex
	var running sync.WaitGroup
	for _, node := range c.Nodes() {
		running.Go(func() {
			for working.Err() == nil {
				if addOne(working, node, level, table) == nil {
					mu.Lock()
					all++
					mu.Unlock()
				}
			}
		})
	}
	running.Wait()
	result, err := c.ExecuteWithRetry(ctx, "SELECT n FROM "+table)
	Expect(err).NotTo(HaveOccurred())
	n, err := result.Value()
	Expect(err).NotTo(HaveOccurred())
	return max(0, all-n.(int64)), all
}

// addOne adds one to the row as an application does: it reads, and writes what follows from that.
func addOne(ctx context.Context, node *harness.Node, level target.Isolation, table string) error {
	tx, err := node.Begin(ctx, level)
	if err != nil {
		return err
	}
	result, err := tx.Execute(ctx, "SELECT n FROM "+table+" WHERE k = 1")
	if err == nil {
		var n any
		if n, err = result.Value(); err == nil {
			_, err = tx.Execute(ctx, "UPDATE "+table+" SET n = ? WHERE k = 1", n.(int64)+1)
		}
	}
	if err != nil {
		return errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
	}
	return tx.Commit(ctx)
}

// halves has transactions at one node change a row, read it, and change another row, while clients of another node change the first row.
// It counts those that were committed although the first row did not have their change, up to five.
func halves(ctx context.Context, show *findings.Show, options galera.Options, most time.Duration) (halves, all int) {
	GinkgoHelper()
	c, table := begin(ctx, show, options)
	Expect(c.ExecuteWithRetry(ctx, "INSERT INTO "+table+" VALUES (1, 0), (2, 0)")).Error().NotTo(HaveOccurred())
	Expect(c.WaitForAllOnline(ctx)).To(Succeed())
	working, stop := context.WithTimeout(ctx, most)
	defer stop()
	var rival sync.WaitGroup
	rival.Go(func() {
		for n := 1; working.Err() == nil; n++ {
			_, _ = c.Nodes()[1].Execute(working, "UPDATE "+table+" SET n = ? WHERE k = 1", n) // it may lose, too
		}
	})
	for n := -1; working.Err() == nil && halves < 5; n-- {
		kept, err := half(working, c.Nodes()[0], table, n)
		if err != nil {
			continue // it was rolled back
		}
		all++
		if !kept {
			halves++
		}
	}
	stop()
	rival.Wait()
	return halves, all
}

// half tells whether a transaction that was committed had seen its own change.
func half(ctx context.Context, node *harness.Node, table string, n int) (kept bool, err error) {
	tx, err := node.Begin(ctx, target.Snapshot)
	if err != nil {
		return false, err
	}
	var shown any
	_, err = tx.Execute(ctx, "UPDATE "+table+" SET n = ? WHERE k = 1", n)
	if err == nil {
		var result harness.Result
		if result, err = tx.Execute(ctx, "SELECT n FROM "+table+" WHERE k = ?", 1); err == nil {
			shown, err = result.Value()
		}
	}
	if err == nil {
		_, err = tx.Execute(ctx, "UPDATE "+table+" SET n = ? WHERE k = 2", n)
	}
	if err != nil {
		return false, errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
	}
	return shown == int64(n), tx.Commit(ctx)
}

// reads writes at one node and reads at the others, and counts the reads that do not show the write.
func reads(ctx context.Context, show *findings.Show, options galera.Options) (stale, all int) {
	GinkgoHelper()
	c, table := begin(ctx, show, options)
	w := write(ctx, c, table, 2) // other changes, which a node applies before
	defer w.stop()
	nodes := c.Nodes()
	for n := range 150 {
		by := nodes[n%len(nodes)]
		if _, err := by.ExecuteWithRetry(ctx, "INSERT INTO "+table+" VALUES (2, ?)", n); err != nil {
			continue // not acknowledged
		}
		for _, other := range nodes {
			if other == by {
				continue
			}
			result, err := other.Reading(target.Default).Execute(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE k = 2 AND n = %d", table, n))
			if err != nil {
				continue
			}
			seen, err := result.Value()
			Expect(err).NotTo(HaveOccurred())
			all++
			if seen == int64(0) {
				stale++
			}
		}
	}
	return stale, all
}

// refusals has clients make tables at a node until it does not hear the others, and returns those that were refused with error 1205.
func refusals(ctx context.Context, c *harness.Cluster, prefix string) (refused []string) {
	GinkgoHelper()
	const clients = 6
	node := c.Nodes()[2].Inside()
	var mu sync.Mutex
	var running sync.WaitGroup
	made := make(chan struct{}, clients)
	for client := range clients {
		running.Go(func() {
			for n := 0; ; n++ {
				table := fmt.Sprintf("%s_%d_%d", prefix, client, n)
				_, err := node.Execute(ctx, "CREATE TABLE "+table+" (n INTEGER)")
				if err == nil {
					select {
					case made <- struct{}{}:
					default:
					}
					continue
				}
				if said := (*target.Error)(nil); errors.As(err, &said) && said.Code == "1205" {
					mu.Lock()
					refused = append(refused, table)
					mu.Unlock()
				}
				return
			}
		})
	}
	for range 2 * clients {
		Eventually(ctx, made).WithTimeout(time.Minute).Should(Receive())
	}
	Expect(c.Cut(ctx, fault.Drop, fault.Around(2, []int{0, 1})...)).To(Succeed())
	running.Wait()
	Expect(c.MendLinks(ctx)).To(Succeed())
	Expect(c.WaitForAllOnline(ctx)).To(Succeed())
	return refused
}

// crashed kills all nodes while clients write, and has them back.
func crashed(ctx context.Context, show *findings.Show, options galera.Options) (*harness.Cluster, *writer) {
	GinkgoHelper()
	c, table := begin(ctx, show, options)
	w := write(ctx, c, table, 4)
	w.await(ctx, 1000)
	each(c, func(node int) error { return c.TakeNodeOffline(ctx, node, fault.Crash) })
	w.stop()
	each(c, func(node int) error { return c.BringNodeOnline(ctx, node) })
	Expect(c.WaitForAllOnline(ctx)).To(Succeed())
	return c, w
}

// each does something to all nodes at once.
func each(c *harness.Cluster, do func(node int) error) {
	GinkgoHelper()
	errs := make([]error, c.Size())
	var running sync.WaitGroup
	for node := range errs {
		running.Go(func() { errs[node] = do(node) })
	}
	running.Wait()
	Expect(errors.Join(errs...)).To(Succeed())
}

// writer has clients that insert numbers.
type writer struct {
	table   string
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu           sync.Mutex
	next         int64
	acknowledged []int64
}

// write starts clients at each node.
func write(ctx context.Context, c *harness.Cluster, table string, clients int) *writer {
	GinkgoHelper()
	Expect(c.WaitForAllOnline(ctx)).To(Succeed())
	w := &writer{table: table}
	ctx, w.cancel = context.WithCancel(ctx)
	DeferCleanup(w.stop)
	for _, node := range c.Nodes() {
		for range clients {
			w.running.Go(func() {
				for ctx.Err() == nil {
					n := w.number()
					if _, err := node.Execute(ctx, "INSERT INTO "+table+" VALUES (1, ?)", n); err == nil {
						w.acknowledge(n)
					}
				}
			})
		}
	}
	return w
}

func (w *writer) number() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	return w.next
}

func (w *writer) acknowledge(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acknowledged = append(w.acknowledged, n)
}

// await waits until so many writes are acknowledged.
func (w *writer) await(ctx context.Context, writes int) {
	GinkgoHelper()
	Eventually(ctx, func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.acknowledged)
	}).WithTimeout(2*time.Minute).Should(BeNumerically(">=", writes), "the clients do not write")
}

// stop ends the clients and waits for them.
func (w *writer) stop() {
	w.cancel()
	w.running.Wait()
}

// lost counts the acknowledged writes that a node does not show.
func (w *writer) lost(ctx context.Context, node *harness.Node) (lost int) {
	GinkgoHelper()
	there := w.shown(ctx, node)
	for _, n := range w.acknowledged {
		if !there[n] {
			lost++
		}
	}
	return lost
}

// shown are the numbers that a node shows from its own state.
func (w *writer) shown(ctx context.Context, node *harness.Node) map[int64]bool {
	GinkgoHelper()
	result, err := node.Inside().Reading(target.Local).Execute(ctx, "SELECT n FROM "+w.table+" WHERE k = 1")
	Expect(err).NotTo(HaveOccurred())
	there := make(map[int64]bool)
	for _, row := range result.Rows() {
		there[row[0].(int64)] = true
	}
	return there
}

// different says how many rows each node has, if they do not have the same; empty if they do.
func (w *writer) different(ctx context.Context, c *harness.Cluster) (rows string) {
	GinkgoHelper()
	first := w.shown(ctx, c.Nodes()[0])
	same := true
	for _, node := range c.Nodes() {
		there := w.shown(ctx, node)
		for n := range there {
			same = same && first[n]
		}
		same = same && len(there) == len(first)
		rows += fmt.Sprintf("%s has %d rows, ", node.ID(), len(there))
	}
	if same {
		return ""
	}
	return rows[:len(rows)-2]
}
