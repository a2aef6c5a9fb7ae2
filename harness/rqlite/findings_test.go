package rqlite_test

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
	"github.com/rejoin-db/rejoin/harness/target"
)

// rounds is how often a finding that depends on a race is tried.
const rounds = 40

// The claims that the findings are about, with their sources: pages of rqlite's documentation.
const (
	rewritten = "a statement with RANDOM(), RANDOMBLOB(N) or a date and time function is rewritten before it is replicated, " +
		"so that all nodes execute the same (Non-deterministic functions)"
	currentTime = "not promised: a default of CURRENT_TIMESTAMP means different values on different nodes " +
		"(Non-deterministic functions, CURRENT_TIME*)"
	dialect = "rqlite stores what SQLite would; only RANDOM(), RANDOMBLOB(N) and date and time functions are rewritten " +
		"(Non-deterministic functions)"
	noRetries = "a node that does not reach another one answers with an error; it retries only if the request asks for retries " +
		"(Developer Guide)"
	together    = "the statements of a request with transaction are applied together or not at all (Multi-statement patterns)"
	unchanged   = "schemas and queries written for SQLite run unchanged (rqlite.io, llms.txt)"
	blobs       = "with blob_array a blob is answered as an array of bytes (Developer Guide, BLOB data)"
	hexadecimal = "not promised: a parameter of the form x'41' is a blob (Developer Guide, BLOB data)"
	graceful    = "a node that gets SIGTERM shuts down gracefully (General guidelines)"
)

// setting is that of all findings.
const setting = "election timeout 300 ms, snapshot after 128 entries, cluster-connect-timeout 1 s, else defaults"

var _ = Describe("rqlite", func() {
	findings.It(findings.Finding{
		Title:   "replicas differ after an INSERT with randomblob or a time that is not rewritten, without a fault",
		Setting: setting, Claim: rewritten, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes{})
		write(ctx, cluster, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		for id, text := range []string{
			"INSERT INTO t VALUES (?, hex(randomblob(4 + 4)))",
			"INSERT INTO t WITH one AS (SELECT ? AS id) SELECT id, hex(randomblob(8)) FROM one",
			"INSERT INTO t WITH one AS (SELECT ? AS id) SELECT id, random() FROM one",
			"INSERT INTO t VALUES (?, julianday())",
			"INSERT INTO t VALUES (?, unixepoch('subsec'))",
		} {
			write(ctx, cluster, text, id)
			if values := everywhere(ctx, cluster, "SELECT v FROM t WHERE id = ?", id); differ(values) {
				show.Seen("%s: %v", text, values)
			}
		}
	}, SpecTimeout(3*time.Minute))

	findings.It(findings.Finding{
		Title:   "a statement with random() stores the text CURRENT_TIMESTAMP in place of the time",
		Setting: setting, Claim: dialect, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes{})
		write(ctx, cluster, "CREATE TABLE t (id INTEGER PRIMARY KEY, v, at)")
		write(ctx, cluster, "INSERT INTO t VALUES (1, random(), CURRENT_TIMESTAMP)")
		if values := everywhere(ctx, cluster, "SELECT at FROM t WHERE id = ?", 1); values[0] == "CURRENT_TIMESTAMP" {
			show.Seen("INSERT INTO t VALUES (1, random(), CURRENT_TIMESTAMP) is acknowledged, and the row has the text %v", values[0])
		}
	}, SpecTimeout(3*time.Minute))

	findings.It(findings.Finding{
		Title:   "a replica that was away has another time in a column with DEFAULT CURRENT_TIMESTAMP",
		Setting: setting, Claim: currentTime, Expected: true, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes{})
		write(ctx, cluster, "CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)")
		away := (leads(ctx, cluster) + 1) % cluster.Size()
		Expect(cluster.TakeNodeOffline(ctx, away, fault.Isolate)).To(Succeed())
		write(ctx, cluster, "INSERT INTO t (id) VALUES (1)")
		written := time.Now()
		Eventually(ctx, func() time.Duration { return time.Since(written) }).WithTimeout(10 * time.Second).
			Should(BeNumerically(">", 2*time.Second))
		Expect(cluster.BringNodeOnline(ctx, away)).To(Succeed())
		if values := everywhere(ctx, cluster, "SELECT at FROM t WHERE id = ?", 1); differ(values) {
			show.Seen("the nodes have %v; node %d was away for two seconds", values, away)
		}
	}, SpecTimeout(3*time.Minute))

	findings.It(findings.Finding{
		Title:   "a write that was sent once is applied twice when a connection between two nodes is reset",
		Setting: setting, Claim: noRetries, Layer: findings.Server, Upstream: "https://github.com/rqlite/rqlite/issues/1628",
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes{})
		write(ctx, cluster, "CREATE TABLE t (v INTEGER)")
		sent := resetting(ctx, cluster, "INSERT INTO t VALUES (?)", func() bool { return len(twice(ctx, cluster)) > 0 })
		if values := twice(ctx, cluster); len(values) > 0 {
			show.Seen("%d of %d rows are there twice, and were sent once", len(values), len(sent))
		}
	}, SpecTimeout(5*time.Minute))

	findings.It(findings.Finding{
		Title:   "a write that was applied is refused with UNIQUE constraint failed when a connection between two nodes is reset",
		Setting: setting, Claim: noRetries, Layer: findings.Server, Upstream: "https://github.com/rqlite/rqlite/issues/1628",
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes{})
		write(ctx, cluster, "CREATE TABLE t (v INTEGER PRIMARY KEY)")
		var denied int
		sent := resetting(ctx, cluster, "INSERT INTO t VALUES (?)", func() bool { return false })
		for v, err := range sent {
			if errors.Is(err, target.ErrConstraint) && len(everywhere(ctx, cluster, "SELECT v FROM t WHERE v = ?", v)) == cluster.Size() {
				denied++
			}
		}
		if denied > 0 {
			show.Seen("%d of %d writes of values of their own were refused, and are there", denied, len(sent))
		}
	}, SpecTimeout(5*time.Minute))

	findings.It(findings.Finding{
		Title:   "a request is refused and applied in part: a statement of it is wrong, and another one returns rows",
		Setting: setting, Claim: together, Layer: findings.Server, Upstream: "https://github.com/rqlite/rqlite/pull/2792",
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes{}, harness.Size(1))
		write(ctx, cluster, "CREATE TABLE t (v INTEGER)")
		node, err := cluster.Node(0)
		Expect(err).NotTo(HaveOccurred())
		_, err = node.ExecuteAs(ctx, "", "INSERT INTO t VALUES (1); INSERT INTO t SELECT v FROM missing; INSERT INTO t VALUES (2) RETURNING v")
		Expect(err).To(MatchError(target.ErrNoSuchTable))
		if rows := write(ctx, cluster, "SELECT v FROM t ORDER BY v").Rows(); len(rows) > 0 {
			show.Seen("the request ended with %v, and the table has the rows %v", err, rows)
		}
	}, SpecTimeout(time.Minute))

	findings.It(findings.Finding{
		Title:   "a write at a follower that returns a blob without a declared type is applied twice, without a fault",
		Setting: setting, Claim: noRetries, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes{})
		write(ctx, cluster, "CREATE TABLE t (v)")
		node, err := cluster.Node((leads(ctx, cluster) + 1) % cluster.Size())
		Expect(err).NotTo(HaveOccurred())
		var failed error
		Eventually(ctx, func(ctx context.Context) any { // a follower that knows the leader
			_, failed = node.ExecuteAs(ctx, "", "INSERT INTO t VALUES (x'ff00') RETURNING v")
			return write(ctx, cluster, "SELECT count(*) FROM t").Rows()[0][0]
		}).WithTimeout(30 * time.Second).ShouldNot(BeEquivalentTo(0))
		if rows := write(ctx, cluster, "SELECT count(*) FROM t").Rows()[0][0]; rows != int64(1) {
			show.Seen("one INSERT … RETURNING of x'ff00' leaves %v rows; its answer: %v", rows, failed)
		}
	}, SpecTimeout(time.Minute))

	findings.It(findings.Finding{
		Title:   "a value in a BOOLEAN, DATE or TIMESTAMP column is answered as another one",
		Setting: setting, Claim: unchanged, Layer: findings.Server, Upstream: "https://github.com/rqlite/rqlite/issues/1658",
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes{}, harness.Size(1))
		write(ctx, cluster, "CREATE TABLE t (b BOOLEAN, d DATE, at TIMESTAMP)")
		write(ctx, cluster, "INSERT INTO t VALUES (5, 'not a date', 1234567890123)")
		stored := write(ctx, cluster, "SELECT b || '', d || '', at || '' FROM t").Rows()[0]
		if answered := write(ctx, cluster, "SELECT b, d, at FROM t").Rows()[0]; differ([]any{stored, answered}) {
			show.Seen("the row has %v, and the answer is %v", stored, answered)
		}
	}, SpecTimeout(time.Minute))

	findings.It(findings.Finding{
		Title:   "a blob without a declared type is answered as a text, which has lost bytes",
		Setting: setting, Claim: blobs, Layer: findings.Server, Upstream: "https://github.com/rqlite/rqlite/issues/1345",
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes{}, harness.Size(1))
		write(ctx, cluster, "CREATE TABLE t (v)")
		write(ctx, cluster, "INSERT INTO t VALUES (x'ff00')")
		for _, text := range []string{"SELECT v FROM t", "SELECT max(v) FROM t"} {
			if got, is := write(ctx, cluster, text).Rows()[0][0].(string); is {
				show.Seen("%s answers %q, and the row has x'ff00'", text, got)
			}
		}
	}, SpecTimeout(time.Minute))

	findings.It(findings.Finding{
		Title:   "a text parameter of the form x'41' is stored as a blob",
		Setting: setting, Claim: hexadecimal, Expected: true, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes{}, harness.Size(1))
		write(ctx, cluster, "CREATE TABLE t (v TEXT)")
		write(ctx, cluster, "INSERT INTO t VALUES (?)", "x'41'")
		if got := write(ctx, cluster, "SELECT typeof(v), v FROM t").Rows()[0]; got[0] == "blob" {
			show.Seen("the text x'41' is there as a %s, and is answered as %q", got[0], got[1])
		}
	}, SpecTimeout(time.Minute))

	findings.It(findings.Finding{
		Title:   "a leader under load hangs when it is stopped with SIGTERM",
		Setting: setting, Claim: graceful, Layer: findings.Server, Upstream: "https://github.com/hashicorp/raft/issues/612",
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes{})
		write(ctx, cluster, "CREATE TABLE t (v INTEGER)")
		stop := load(ctx, cluster)
		defer stop()
		for round := range rounds {
			leader := leads(ctx, cluster)
			Expect(cluster.MendLinks(ctx)).To(Succeed())
			Expect(cluster.SetLink(ctx, leader, (leader+1)%cluster.Size(), fault.Rule{Latency: 100 * time.Millisecond})).To(Succeed())
			for range 20 {
				write(ctx, cluster, "INSERT INTO t VALUES (0)")
			}
			stopping, cancel := context.WithTimeout(ctx, limit)
			err := cluster.TakeNodeOffline(stopping, leader, fault.Stop)
			hangs := stopping.Err() != nil
			cancel()
			if hangs {
				show.Seen("after %d leaders that stopped, one did not end within %v of SIGTERM: %v", round, limit, err)
				return
			}
			Expect(err).NotTo(HaveOccurred())
			Expect(cluster.BringNodeOnline(ctx, leader)).To(Succeed())
		}
	}, SpecTimeout(10*time.Minute))
})

// limit is how long a node may take to stop: rqlite's own limits of a shutdown are 5 and 10 s.
const limit = 40 * time.Second

// write executes a request without an ID at the leader, again only where it was certainly not applied.
func write(ctx context.Context, cluster *harness.Cluster, text string, args ...any) (result harness.Result) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) error {
		node, err := cluster.Node(leads(ctx, cluster))
		if err != nil {
			return err
		}
		result, err = node.ExecuteAs(ctx, "", text, args...)
		if e := (*target.Error)(nil); errors.As(err, &e) && !(e.Temporary && e.Outcome == target.NotApplied) {
			return StopTrying(e.Error()).Wrap(err)
		}
		return err
	}).WithTimeout(30 * time.Second).Should(Succeed())
	return result
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

// everywhere is the value of a query in the own state of each node, which waits until all have a row.
func everywhere(ctx context.Context, cluster *harness.Cluster, query string, args ...any) (values []any) {
	GinkgoHelper()
	for _, node := range cluster.Nodes() {
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			result, err := node.Inside().Reading(target.Local).Execute(ctx, query, args...)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(result.Rows()).To(HaveLen(1))
			values = append(values, result.Rows()[0][0])
		}).WithTimeout(30 * time.Second).Should(Succeed())
	}
	return values
}

func differ(values []any) bool {
	for _, v := range values {
		if fmt.Sprint(v) != fmt.Sprint(values[0]) {
			return true
		}
	}
	return false
}

// resetting sends values of their own, each once, at a follower, while the connection on which the leader answers it is reset.
// It ends after rounds, or when it has seen enough, and returns the errors by value.
func resetting(ctx context.Context, cluster *harness.Cluster, text string, enough func() bool) map[int]error {
	GinkgoHelper()
	sent := make(map[int]error)
	for v := 0; v < rounds && !enough(); v++ {
		leader := leads(ctx, cluster)
		follower := (leader + 1) % cluster.Size()
		node, err := cluster.Node(follower)
		Expect(err).NotTo(HaveOccurred())
		Expect(cluster.ResetLink(ctx, leader, follower)).To(Succeed())
		once, cancel := context.WithTimeout(ctx, 10*time.Second)
		_, sent[v] = node.ExecuteAs(once, "", text, v)
		cancel()
	}
	Expect(cluster.MendLinks(ctx)).To(Succeed())
	return sent
}

// twice are the values of t that are there more than once.
func twice(ctx context.Context, cluster *harness.Cluster) [][]any {
	GinkgoHelper()
	return write(ctx, cluster, "SELECT v FROM t GROUP BY v HAVING count(*) > 1").Rows()
}

// load has a client at each node write, until stop is called.
func load(ctx context.Context, cluster *harness.Cluster) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	for _, node := range cluster.Nodes() {
		for range 4 {
			clients.Go(func() {
				for v := 0; ctx.Err() == nil; v++ {
					once, end := context.WithTimeout(ctx, 2*time.Second)
					_, err := node.ExecuteAs(once, "", "INSERT INTO t VALUES (?)", v)
					end()
					if err != nil {
						select {
						case <-time.After(10 * time.Millisecond):
						case <-ctx.Done():
						}
					}
				}
			})
		}
	}
	return func() { cancel(); clients.Wait() }
}
