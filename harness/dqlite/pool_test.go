package dqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/canonical/go-dqlite/client"
	"github.com/canonical/go-dqlite/driver"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/findings"
)

// all are the columns of t and its only row.
func all(ctx context.Context, conn *sql.Conn) (columns []string, row []any) {
	GinkgoHelper()
	rows, err := conn.QueryContext(ctx, "SELECT * FROM t")
	Expect(err).NotTo(HaveOccurred())
	defer rows.Close()
	columns, err = rows.Columns()
	Expect(err).NotTo(HaveOccurred())
	Expect(rows.Next()).To(BeTrue())
	row = make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	Expect(rows.Scan(into...)).To(Succeed())
	return columns, row
}

// pool is the driver as its documentation recommends it: with the addresses of all nodes.
func pool(ctx context.Context, cluster *harness.Cluster) *sql.DB {
	GinkgoHelper()
	var addresses []string
	for _, node := range cluster.Nodes() {
		status, err := node.Status(ctx)
		Expect(err).NotTo(HaveOccurred())
		addresses = append(addresses, status.Address)
	}
	return connected(ctx, cluster, addresses...)
}

// connected is the driver with some addresses.
func connected(ctx context.Context, cluster *harness.Cluster, addresses ...string) *sql.DB {
	GinkgoHelper()
	at := make(map[string]*harness.Node)
	for _, node := range cluster.Nodes() {
		status, err := node.Status(ctx)
		Expect(err).NotTo(HaveOccurred())
		at[status.Address] = node
	}
	store := client.NewInmemNodeStore()
	var infos []client.NodeInfo
	for _, address := range addresses {
		infos = append(infos, client.NodeInfo{Address: address})
	}
	Expect(store.Set(ctx, infos)).To(Succeed())
	d, err := driver.New(store, driver.WithLogFunc(func(client.LogLevel, string, ...any) {}), driver.WithAttemptTimeout(500*time.Millisecond),
		driver.WithDialFunc(func(ctx context.Context, address string) (net.Conn, error) {
			node, known := at[address]
			if !known {
				return nil, fmt.Errorf("there is no node at %s", address)
			}
			return node.Dial(ctx)
		}))
	Expect(err).NotTo(HaveOccurred())
	connector, err := d.OpenConnector("findings.db")
	Expect(err).NotTo(HaveOccurred())
	db := sql.OpenDB(connector)
	DeferCleanup(db.Close)
	return db
}

// execute sends a statement until the database has answered.
func execute(ctx context.Context, db *sql.DB, statement string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := db.ExecContext(ctx, statement, args...)
	return err
}

// tally is what a pool has answered, and what was there afterwards.
type tally struct{ writes, duplicates, denied int }

func (t *tally) add(other tally) {
	t.writes += other.writes
	t.duplicates += other.duplicates
	t.denied += other.denied
}

// resends changes the leader while clients of a pool write, until enough is seen or for some rounds, and returns what was seen and
// how often the leader has changed.
func resends(ctx context.Context, show *findings.Show, enough func(tally) bool) (all tally, changes int) {
	GinkgoHelper()
	cluster := show.Cluster(ctx, nodes)
	db := pool(ctx, cluster)
	Expect(execute(ctx, db, "CREATE TABLE t (v TEXT NOT NULL)")).To(Succeed())
	for changes < rounds && !enough(all) {
		By("changing the leader while clients write")
		all.add(resend(ctx, cluster, db, changes))
		changes++
	}
	return all, changes
}

// resend writes by several clients, while the leader hears no other node any longer and so loses its leadership.
func resend(ctx context.Context, cluster *harness.Cluster, db *sql.DB, round int) tally {
	GinkgoHelper()
	leader := leads(ctx, cluster)
	var deaf []fault.Link
	for _, node := range cluster.Nodes() {
		if node.Index() != leader {
			deaf = append(deaf, fault.Link{From: node.Index(), To: leader})
		}
	}
	writing, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	var mu sync.Mutex
	answers := make(map[string]error)
	for c := range 4 {
		wg.Go(func() {
			for n := 0; writing.Err() == nil; n++ {
				v := fmt.Sprintf("%d-%d-%d", round, c, n)
				err := execute(ctx, db, "INSERT INTO t VALUES (?)", v)
				mu.Lock()
				answers[v] = err
				mu.Unlock()
			}
		})
	}
	acknowledged := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, err := range answers {
			if err == nil {
				n++
			}
		}
		return n
	}
	Eventually(ctx, acknowledged).WithTimeout(20 * time.Second).Should(BeNumerically(">", 20))
	Expect(cluster.Cut(ctx, fault.Drop, deaf...)).To(Succeed())
	Eventually(ctx, cluster.Leader).WithTimeout(30 * time.Second).ShouldNot(Equal(leader))
	before := acknowledged()
	Eventually(ctx, acknowledged).WithTimeout(30 * time.Second).Should(BeNumerically(">", before+20))
	Expect(cluster.MendLinks(ctx)).To(Succeed())
	stop()
	wg.Wait()

	counted := make(map[string]int)
	rows, err := db.QueryContext(ctx, "SELECT v, count(*) FROM t GROUP BY v")
	Expect(err).NotTo(HaveOccurred())
	defer rows.Close()
	for rows.Next() {
		var v string
		var n int
		Expect(rows.Scan(&v, &n)).To(Succeed())
		counted[v] = n
	}
	Expect(rows.Err()).NotTo(HaveOccurred())
	out := tally{writes: len(answers)}
	for v, err := range answers {
		out.duplicates += max(0, counted[v]-1)
		if e := (driver.Error{}); errors.As(err, &e) && strings.Contains(e.Message, "locked") && counted[v] > 0 {
			out.denied++
		}
	}
	return out
}

// handOver moves the leadership to another node while clients write, and returns the errors of their writes.
func handOver(ctx context.Context, cluster *harness.Cluster, db *sql.DB) (failed []error) {
	GinkgoHelper()
	leader := leads(ctx, cluster)
	from, err := cluster.Node(leader)
	Expect(err).NotTo(HaveOccurred())
	status, err := from.Status(ctx)
	Expect(err).NotTo(HaveOccurred())
	dial := client.WithDialFunc(func(ctx context.Context, _ string) (net.Conn, error) { return from.Dial(ctx) })
	c, err := client.New(ctx, status.Address, dial)
	Expect(err).NotTo(HaveOccurred())
	defer c.Close()
	members, err := c.Cluster(ctx)
	Expect(err).NotTo(HaveOccurred())
	next := members[(slices.IndexFunc(members, func(m client.NodeInfo) bool { return m.Address == status.Address })+1)%len(members)]

	writing, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	var mu sync.Mutex
	written := 0
	for range 4 {
		wg.Go(func() {
			for writing.Err() == nil {
				err := execute(ctx, db, "INSERT INTO t VALUES ('x')")
				mu.Lock()
				if err != nil {
					failed = append(failed, err)
				} else {
					written++
				}
				mu.Unlock()
			}
		})
	}
	acknowledged := func() int {
		mu.Lock()
		defer mu.Unlock()
		return written
	}
	Eventually(ctx, acknowledged).WithTimeout(20 * time.Second).Should(BeNumerically(">", 20))
	_ = c.Transfer(ctx, next.ID) // the leader may have changed by itself
	before := acknowledged()
	Eventually(ctx, acknowledged).WithTimeout(30 * time.Second).Should(BeNumerically(">", before+20))
	stop()
	wg.Wait()
	return failed
}

// leads waits for a leader.
func leads(ctx context.Context, cluster *harness.Cluster) (leader int) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) (err error) {
		leader, err = cluster.Leader(ctx)
		return err
	}).WithTimeout(30 * time.Second).Should(Succeed())
	return leader
}

// readOfResumed pauses the leader, writes v by its successor, asks the old leader on a connection from before, resumes it, and returns
// what it answers; v if it does not answer.
func readOfResumed(ctx context.Context, cluster *harness.Cluster, v int) int {
	GinkgoHelper()
	old := leads(ctx, cluster)
	node, err := cluster.Node(old)
	Expect(err).NotTo(HaveOccurred())
	status, err := node.Status(ctx)
	Expect(err).NotTo(HaveOccurred())
	conn, err := connected(ctx, cluster, status.Address).Conn(ctx)
	Expect(err).NotTo(HaveOccurred())
	defer conn.Close()
	others := pool(ctx, cluster)

	Expect(cluster.TakeNodeOffline(ctx, old, fault.Pause)).To(Succeed())
	Expect(leads(ctx, cluster)).NotTo(Equal(old))
	Eventually(ctx, func() error { return execute(ctx, others, "UPDATE t SET v = ?", v) }).WithTimeout(30 * time.Second).Should(Succeed())

	type read struct {
		v   int
		err error
	}
	answered := make(chan read)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		var r read
		r.err = conn.QueryRowContext(ctx, "SELECT v FROM t").Scan(&r.v)
		answered <- r
	}()
	Expect(cluster.BringNodeOnline(ctx, old)).To(Succeed())
	r := <-answered
	Expect(cluster.WaitForAllOnline(ctx)).To(Succeed())
	if r.err != nil {
		return v
	}
	return r.v
}
