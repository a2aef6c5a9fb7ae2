package dqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/canonical/go-dqlite/driver"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/harness/target"
)

// rounds is how often a finding that depends on a race is tried.
const rounds = 12

// The claims that the findings are about, with their sources.
const (
	appliedOnce  = "a driver says ErrBadConn only if the statement was surely not applied, so that it may be sent again (database/sql/driver)"
	serializable = "transactions are serializable (consistency model)"
	staleReads   = "not promised: a leader that does not know its successor may serve stale reads (consistency model)"
	exactText    = "the bytes of a text are stored as they are (SQLite, Datatypes), and a write is refused if it cannot be"
	anyType      = "a column holds values of any type, whatever type it is declared with (SQLite, Datatypes); dqlite documents no other rule"
	notLeader    = "a write at a node that does not lead fails with ErrNotLeader, and clients retry at the new leader (FAQ of the sources)"
	neverUndone  = "a committed transaction is never undone (FAQ); ATTACH, which is not supported (dqlite 419), is not refused"
)

// The settings of dqlite, and how the application uses the driver.
const (
	setting = "network latency 20 ms"
	resent  = setting + ", a pool of database/sql"
)

var _ = Describe("dqlite", func() {
	findings.It(findings.Finding{
		Title:   "a pool sends a statement again that may have been applied, and the row is there twice",
		Setting: resent, Claim: appliedOnce, Layer: findings.Driver,
	}, func(ctx SpecContext, show *findings.Show) {
		all, changes := resends(ctx, show, func(t tally) bool { return t.duplicates > 0 })
		if all.duplicates > 0 {
			show.Seen("rows too many: %d after %d writes, in %d changes of the leader", all.duplicates, all.writes, changes)
		}
	}, SpecTimeout(10*time.Minute))

	findings.It(findings.Finding{
		Title:   "a pool sends a statement again that was applied, and answers that the database is locked",
		Setting: resent, Claim: appliedOnce, Layer: findings.Driver,
	}, func(ctx SpecContext, show *findings.Show) {
		all, changes := resends(ctx, show, func(t tally) bool { return t.denied > 0 })
		if all.denied > 0 {
			show.Seen("denied with \"database is locked\", and there: %d of %d writes, in %d changes of the leader", all.denied, all.writes, changes)
		}
	}, SpecTimeout(10*time.Minute))

	findings.It(findings.Finding{
		Title:   "a leader that was paused and replaced serves a stale read when it resumes",
		Setting: setting, Claim: staleReads, Expected: true, Layer: findings.Server,
		Upstream: "https://github.com/canonical/go-dqlite/issues/207",
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes)
		db := pool(ctx, cluster)
		Expect(execute(ctx, db, "CREATE TABLE t (v INTEGER NOT NULL)")).To(Succeed())
		Expect(execute(ctx, db, "INSERT INTO t VALUES (0)")).To(Succeed())
		for round := 1; round <= rounds; round++ {
			By("pausing the leader, and reading from it when it resumes")
			if v := readOfResumed(ctx, cluster, round); v < round {
				show.Seen("the resumed leader answered %d, and the write of %d was acknowledged before it was asked; round %d", v, round, round)
				return
			}
		}
	}, SpecTimeout(5*time.Minute))

	findings.It(findings.Finding{
		Title:   "a table that is made in an attached database damages the main one",
		Setting: setting, Claim: neverUndone, Layer: findings.Server,
		Upstream: "https://github.com/canonical/dqlite/issues/440",
	}, func(ctx SpecContext, show *findings.Show) {
		db := pool(ctx, show.Cluster(ctx, nodes))
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
		if errors.Join(after, reading) != nil {
			show.Seen("CREATE TABLE b.x: %v; then INSERT INTO t: %v; then a read on another connection: %v", said(first), said(after), said(reading))
		}
	}, SpecTimeout(2*time.Minute))

	findings.It(findings.Finding{
		Title:   "a read of a text in a BOOLEAN column aborts the leader, and sent again the next one, until there is no quorum",
		Setting: setting, Claim: anyType, Layer: findings.Server,
		Upstream: "https://github.com/canonical/dqlite/issues/733",
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes)
		db := pool(ctx, cluster)
		Expect(execute(ctx, db, "CREATE TABLE t (v BOOLEAN)")).To(Succeed())
		Expect(execute(ctx, db, "INSERT INTO t VALUES ('maybe')")).To(Succeed())
		for n := 1; n <= rounds; n++ {
			By("reading the text")
			err := read(ctx, db)
			if ended := ended(ctx, cluster); len(ended) > 1 {
				show.Seen("after %d reads %s have ended; the last read: %v", n, strings.Join(ended, " and "), said(err))
				return
			}
		}
	}, SpecTimeout(5*time.Minute))

	findings.It(findings.Finding{
		Title:   "a write at a leader that hands over is refused with SQLite's code for a lack of memory",
		Setting: setting, Claim: notLeader, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes)
		db := pool(ctx, cluster)
		Expect(execute(ctx, db, "CREATE TABLE t (v TEXT NOT NULL)")).To(Succeed())
		for n := 1; n <= rounds; n++ {
			By("handing over while clients write")
			for _, err := range handOver(ctx, cluster, db) {
				const raftNotLeader = 7
				if e := (driver.Error{}); errors.As(err, &e) && e.Code == raftNotLeader {
					show.Seen("code %d: %s, as the leader handed over for the %d. time", e.Code, e.Message, n)
					return
				}
			}
		}
	}, SpecTimeout(5*time.Minute))

	findings.It(findings.Finding{
		Title:   "a connection that knew a table answers with the columns of its older schema",
		Setting: setting, Claim: serializable, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		db := pool(ctx, show.Cluster(ctx, nodes))
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
		if columns, row = all(ctx, knows); len(columns) != 1 || columns[0] != "b" {
			show.Seen("after the column a was dropped, SELECT * FROM t answers with the columns %v and the row %v; b is 2", columns, row)
		}
	}, SpecTimeout(2*time.Minute))

	findings.It(findings.Finding{
		Title:   "a text is cut at a zero byte, and the write is acknowledged",
		Setting: setting, Claim: exactText, Layer: findings.Driver,
	}, func(ctx SpecContext, show *findings.Show) {
		db := pool(ctx, show.Cluster(ctx, nodes))
		Expect(execute(ctx, db, "CREATE TABLE t (v TEXT)")).To(Succeed())
		Expect(execute(ctx, db, "INSERT INTO t VALUES (?)", "a\x00b")).To(Succeed())
		var length int
		Expect(db.QueryRowContext(ctx, "SELECT length(CAST(v AS BLOB)) FROM t").Scan(&length)).To(Succeed())
		if length < 3 {
			show.Seen("of the 3 bytes a, zero, b the database has %d", length)
		}
	}, SpecTimeout(2*time.Minute))
})

// read reads the row of t.
func read(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var v any
	return db.QueryRowContext(ctx, "SELECT v FROM t").Scan(&v)
}

// ended are the nodes whose program has ended, with the reason.
func ended(ctx context.Context, cluster *harness.Cluster) (nodes []string) {
	for _, look := range cluster.Peek(ctx) {
		if look.Status.State == target.Offline {
			nodes = append(nodes, fmt.Sprintf("%s (%s)", look.Node.ID(), look.Status.Reason))
		}
	}
	return nodes
}

// said is what a statement was answered.
func said(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}
