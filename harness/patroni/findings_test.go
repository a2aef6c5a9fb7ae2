package patroni_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/harness/patroni"
	"github.com/rejoin-db/rejoin/specs"
)

// The claims that the findings are about, with their sources.
const (
	notDurable = "not promised: an asynchronous failover may lose transactions (Patroni, Replication modes, asynchronous mode durability)"
	strictMode = "strict synchronous mode acknowledges no write that a standby does not have (Patroni, Replication modes, " +
		"synchronous_mode_strict)"
	onePrimary = "not promised: without a watchdog a frozen primary may still take commits when it wakes up (Patroni, Watchdog support)"
)

// freezes is how often a primary is frozen until one takes writes after the thaw.
const freezes = 5

var _ = Describe("Patroni", func() {
	BeforeEach(named)

	findings.It(findings.Finding{
		Title:   "acknowledged writes are lost when the primary is cut off from the other nodes",
		Setting: "asynchronous", Claim: notDurable, Expected: true, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		losing(ctx, show, patroni.Asynchronous, giveUp{})
	}, SpecTimeout(10*time.Minute))

	findings.It(findings.Finding{
		Title:   "acknowledged writes are lost of clients that cancel a statement which waits for a standby",
		Setting: "strict synchronous, clients that give up after 0.8 s", Claim: strictMode, Layer: findings.Server,
		Upstream: "https://github.com/patroni/patroni/issues/1412",
	}, func(ctx SpecContext, show *findings.Show) {
		losing(ctx, show, patroni.Strict, giveUp{after: 800 * time.Millisecond})
	}, SpecTimeout(10*time.Minute))

	findings.It(findings.Finding{
		Title:   "two nodes take writes after a freeze of the primary",
		Setting: "asynchronous, no watchdog", Claim: onePrimary, Expected: true, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		c, table := begin(ctx, show, keeping{patroni.Asynchronous, true})
		for round := range freezes {
			table := fmt.Sprintf("%s_%d", table, round)
			Expect(c.ExecuteWithRetry(ctx, "CREATE TABLE "+table+" (n INTEGER NOT NULL)")).Error().NotTo(HaveOccurred())
			was := leader(ctx, c)
			Expect(c.TakeNodeOffline(ctx, was, fault.Pause)).To(Succeed())
			deposed(ctx, c, was)
			w := write(ctx, c, was, table, 1, giveUp{after: 200 * time.Millisecond}) // it writes as soon as the node is back
			Expect(c.BringNodeOnline(ctx, was)).To(Succeed())
			Expect(c.WaitForAllOnline(ctx)).To(Succeed())
			w.stop()
			if report(ctx, show, c, table, w, 0) {
				return
			}
		}
	}, SpecTimeout(10*time.Minute))
})

// named gives the findings the name and the versions of the database.
func named(ctx SpecContext) {
	version, err := versions(ctx, [][]string{{"/usr/lib/postgresql/15/bin/postgres", "--version"}, {"patroni", "--version"}})
	Expect(err).NotTo(HaveOccurred())
	findings.Of("PostgreSQL with Patroni", version)
}

// versions are the numbers that programs print, such as "15.20, 3.0.2".
func versions(ctx context.Context, commands [][]string) (string, error) {
	var numbers []string
	for _, command := range commands {
		said, err := exec.CommandContext(ctx, command[0], command[1:]...).Output()
		number := regexp.MustCompile(`\d+(\.\d+)+`).FindString(string(said))
		if err != nil || number == "" {
			return "", fmt.Errorf("ask %s for its version: it said %q: %w", command[0], said, err)
		}
		numbers = append(numbers, number)
	}
	return strings.Join(numbers, ", "), nil
}

// losing cuts the primary off from the other nodes while its clients write, and reports what was lost.
func losing(ctx context.Context, show *findings.Show, mode patroni.Mode, patience giveUp) {
	GinkgoHelper()
	c, table := begin(ctx, show, keeping{mode, true})
	was := leader(ctx, c)
	By("writing by 8 clients")
	w := write(ctx, c, was, table, 8, patience)
	w.await(ctx, 100)
	By("cutting the primary off")
	Expect(c.Partition(ctx, []int{was}, others(c, was))).To(Succeed())
	cut := w.count()
	deposed(ctx, c, was)
	w.stop()
	By("healing, and counting what is there")
	// Nodes are online when they have the longest log that was seen. That of the former primary is lost, so others must pass it.
	later := table + "_later"
	Expect(c.ExecuteWithRetry(ctx, "CREATE TABLE "+later+" (n INTEGER NOT NULL)")).Error().NotTo(HaveOccurred())
	passing := write(ctx, c, others(c, was)[0], later, 8, giveUp{})
	Expect(c.Heal(ctx)).To(Succeed())
	passing.stop()
	report(ctx, show, c, table, w, cut)
}

// begin boots a cluster with a table of numbers. On the third version of etcd's API a former primary that is back may take over, which
// is a finding of its own: the others use the second.
func begin(ctx context.Context, show *findings.Show, k keeping) (c *harness.Cluster, table string) {
	GinkgoHelper()
	By("booting")
	c = show.Cluster(ctx, k)
	table = specs.Namespace(ctx, c) + ".numbers"
	Expect(c.ExecuteWithRetry(ctx, "CREATE TABLE "+table+" (n INTEGER NOT NULL)")).Error().NotTo(HaveOccurred())
	return c, table
}

func leader(ctx context.Context, c *harness.Cluster) (leads int) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) (err error) {
		leads, err = c.Leader(ctx)
		return err
	}).WithTimeout(time.Minute).Should(Succeed())
	return leads
}

// deposed waits until another node takes writes.
func deposed(ctx context.Context, c *harness.Cluster, was int) {
	GinkgoHelper()
	other := others(c, was)[0]
	node, err := c.Node(other)
	Expect(err).NotTo(HaveOccurred())
	Eventually(ctx, func(ctx context.Context) error {
		brief, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_, err := node.Execute(brief, "CREATE NAMESPACE IF NOT EXISTS elsewhere")
		return err
	}).WithTimeout(2*time.Minute).WithPolling(100*time.Millisecond).Should(Succeed(), "no other node takes writes")
}

func others(c *harness.Cluster, but int) (all []int) {
	for _, node := range c.Nodes() {
		if node.Index() != but {
			all = append(all, node.Index())
		}
	}
	return all
}

// giveUp is how long a client waits before it cancels its statement; 0 is for ever.
type giveUp struct{ after time.Duration }

// writer has clients that insert numbers by one node.
type writer struct {
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu           sync.Mutex
	next         int64
	acknowledged []int64
}

// write starts clients. They use the driver itself: on a timeout it cancels the statement, and believes the answer of the
// database.
func write(ctx context.Context, c *harness.Cluster, by int, table string, clients int, patience giveUp) *writer {
	GinkgoHelper()
	node, err := c.Node(by)
	Expect(err).NotTo(HaveOccurred())
	config, err := pgx.ParseConfig("postgres://postgres@node:5000/postgres?sslmode=disable")
	Expect(err).NotTo(HaveOccurred())
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) { return node.Dial(ctx) }
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Second}
	}
	w := &writer{}
	ctx, w.cancel = context.WithCancel(ctx)
	DeferCleanup(w.stop)
	for range clients {
		w.running.Go(func() {
			for ctx.Err() == nil {
				if err := w.session(ctx, config, table, patience); err != nil && ctx.Err() == nil {
					GinkgoWriter.Printf("a client connects again: %v\n", err)
				}
			}
		})
	}
	return w
}

// session inserts numbers on one connection, until it fails.
func (w *writer) session(ctx context.Context, config *pgx.ConnConfig, table string, patience giveUp) error {
	dialing, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := pgx.ConnectConfig(dialing, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(dialing)) // what is known of its statements is known
	for ctx.Err() == nil {
		n := w.number()
		if err := insert(ctx, conn, table, n, patience); err != nil {
			return fmt.Errorf("insert %d: %w", n, err)
		}
		w.acknowledge(n)
	}
	return nil
}

func insert(ctx context.Context, conn *pgx.Conn, table string, n int64, patience giveUp) error {
	if patience.after > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience.after)
		defer cancel()
	}
	_, err := conn.Exec(ctx, "INSERT INTO "+table+" VALUES ($1)", n)
	return err
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

func (w *writer) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acknowledged)
}

// soFar are the numbers that were acknowledged.
func (w *writer) soFar() []int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.acknowledged)
}

// await waits until so many writes are acknowledged.
func (w *writer) await(ctx context.Context, writes int) {
	GinkgoHelper()
	Eventually(ctx, w.count).WithTimeout(time.Minute).Should(BeNumerically(">=", writes), "the clients do not write")
}

// stop ends the clients and waits for them.
func (w *writer) stop() {
	w.cancel()
	w.running.Wait()
}

// report counts what is lost, and returns whether something is. before is how many writes were acknowledged before the fault.
func report(ctx context.Context, show *findings.Show, c *harness.Cluster, table string, w *writer, before int) (lost bool) {
	GinkgoHelper()
	Expect(c.WaitForAllOnline(ctx)).To(Succeed())
	Expect(c.VerifyDataConsistency(ctx, "SELECT n FROM "+table+" ORDER BY n")).To(Succeed())
	gone := missing(ctx, c, table, w.soFar())
	if len(gone) > 0 {
		show.Seen("%d of %d acknowledged writes are lost; %d were acknowledged before the fault", len(gone), w.count(), before)
	}
	return len(gone) > 0
}

// missing are those of the numbers that are not in the table.
func missing(ctx context.Context, c *harness.Cluster, table string, numbers []int64) []int64 {
	GinkgoHelper()
	result, err := c.ExecuteWithRetry(ctx, "SELECT n FROM "+table+" ORDER BY n")
	Expect(err).NotTo(HaveOccurred())
	there := make(map[int64]bool)
	for _, row := range result.Rows() {
		there[row[0].(int64)] = true
	}
	return slices.DeleteFunc(numbers, func(n int64) bool { return there[n] })
}
