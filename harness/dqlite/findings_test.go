package dqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/canonical/go-dqlite/client"
	"github.com/canonical/go-dqlite/driver"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// finding is the label of a spec that shows again what the suite has found. It passes if it sees it, and fails if it does not see it
// in rounds.
const (
	finding = "finding"
	rounds  = 12
)

// found is the description of a finding, for a report.
func found(format string, args ...any) {
	AddReportEntry(finding, fmt.Sprintf(format, args...), ReportEntryVisibilityAlways)
}

var _ = Describe("dqlite", Label(finding), func() {
	var cluster *harness.Cluster
	BeforeEach(func(ctx SpecContext) {
		var err error
		cluster, err = harness.Boot(ctx, nodes, harness.Size(3), harness.Seed(uint64(GinkgoRandomSeed())))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		Expect(cluster.WaitForAllOnline(ctx)).To(Succeed())
	})

	DescribeTable("a pool of database/sql sends a statement again that may have been applied",
		func(ctx SpecContext, seen func(tally) bool, sentence string) {
			db := pool(ctx, cluster)
			Expect(execute(ctx, db, "CREATE TABLE t (v TEXT NOT NULL)")).To(Succeed())
			var all tally
			for round := range rounds {
				all.add(resend(ctx, cluster, db, round))
				if seen(all) {
					found(sentence+", after %d writes and %d changes of the leader", all.duplicates+all.denied, all.writes, round+1)
					return
				}
			}
			Fail(fmt.Sprintf("not seen: %+v", all))
		},
		Entry("and the row is there twice", func(t tally) bool { return t.duplicates > 0 }, "%d rows too many"),
		Entry("and answers that a row which is there was not written: database is locked", func(t tally) bool { return t.denied > 0 },
			"%d rows too many, or there although it was answered that the database is locked"),
	)

	It("serves a stale read from a leader that was paused and replaced", func(ctx SpecContext) {
		db := pool(ctx, cluster)
		Expect(execute(ctx, db, "CREATE TABLE t (v INTEGER NOT NULL)")).To(Succeed())
		Expect(execute(ctx, db, "INSERT INTO t VALUES (0)")).To(Succeed())
		for round := 1; round <= rounds; round++ {
			if v := readOfResumed(ctx, cluster, round); v < round {
				found("the resumed leader answered %d, after the write of %d was acknowledged and before it was asked; round %d", v, round, round)
				return
			}
		}
		Fail(fmt.Sprintf("not seen in %d rounds", rounds))
	}, SpecTimeout(3*time.Minute))

	It("lets ATTACH damage the database", func(ctx SpecContext) {
		db := pool(ctx, cluster)
		conn, err := db.Conn(ctx)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(conn.Close)
		Expect(conn.ExecContext(ctx, "CREATE TABLE t (v INTEGER)")).Error().NotTo(HaveOccurred())
		Expect(conn.ExecContext(ctx, "INSERT INTO t VALUES (1)")).Error().NotTo(HaveOccurred())
		Expect(conn.ExecContext(ctx, "ATTACH 'b.db' AS b")).Error().NotTo(HaveOccurred())
		_, first := conn.ExecContext(ctx, "CREATE TABLE b.x (y)")
		var after error
		for range rounds {
			if _, after = conn.ExecContext(ctx, "INSERT INTO t VALUES (2)"); after != nil {
				break
			}
		}
		var v int
		reading := db.QueryRowContext(ctx, "SELECT count(*) FROM t").Scan(&v)
		Expect(errors.Join(first, after, reading)).To(HaveOccurred(), "not seen")
		found("CREATE TABLE b.x: %v; then INSERT INTO t: %v; then a read on another connection: %v", first, after, reading)
	}, SpecTimeout(time.Minute))

	It("answers with the columns of an older schema that the connection knew", func(ctx SpecContext) {
		db := pool(ctx, cluster)
		knows, err := db.Conn(ctx)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(knows.Close)
		changes, err := db.Conn(ctx)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(changes.Close)
		Expect(changes.ExecContext(ctx, "CREATE TABLE t (a INTEGER, b INTEGER)")).Error().NotTo(HaveOccurred())
		Expect(changes.ExecContext(ctx, "INSERT INTO t VALUES (1, 2)")).Error().NotTo(HaveOccurred())
		columns, row := all(ctx, knows)
		Expect(columns).To(Equal([]string{"a", "b"}))
		Expect(row).To(Equal([]any{int64(1), int64(2)}))
		Expect(changes.ExecContext(ctx, "ALTER TABLE t DROP COLUMN a")).Error().NotTo(HaveOccurred())
		columns, row = all(ctx, knows)
		Expect(columns).NotTo(Equal([]string{"b"}), "not seen")
		found("after the column a was dropped, SELECT * FROM t answers with the columns %v and the row %v; b is 2", columns, row)
	}, SpecTimeout(time.Minute))

	It("cuts a text at a zero byte, and acknowledges the write", func(ctx SpecContext) {
		db := pool(ctx, cluster)
		Expect(execute(ctx, db, "CREATE TABLE t (v TEXT)")).To(Succeed())
		Expect(execute(ctx, db, "INSERT INTO t VALUES (?)", "a\x00b")).To(Succeed())
		var length int
		Expect(db.QueryRowContext(ctx, "SELECT length(CAST(v AS BLOB)) FROM t").Scan(&length)).To(Succeed())
		Expect(length).To(Equal(1), "not seen")
		found("of the text a, zero byte, b the database has %d byte", length)
	}, SpecTimeout(time.Minute))
})

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
