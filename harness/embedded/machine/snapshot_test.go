package machine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

const fill = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 20000) INSERT INTO t (v) SELECT n || ' of many' FROM r"

// brokenSink accepts room bytes and then fails.
type brokenSink struct {
	sink
	room int
}

func (s *brokenSink) Write(p []byte) (int, error) {
	if s.room -= len(p); s.room < 0 {
		return 0, errors.New("the sink is full")
	}
	return len(p), nil
}

func files(dir string) []string {
	GinkgoHelper()
	entries, err := os.ReadDir(dir)
	Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

var _ = Describe("A snapshot", func() {
	var n *node
	BeforeEach(func() {
		n = open(machine.Options{})
		n.must("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		n.must(fill)
	})

	It("holds the database at the time it was taken, while entries are applied", func() {
		want := n.digest()
		taken, err := n.Snapshot()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(taken.Release)

		stop, stopped := make(chan struct{}), make(chan int)
		go func() {
			defer GinkgoRecover()
			count := 0
			for {
				select {
				case <-stop:
					stopped <- count
					return
				default:
					n.must("UPDATE t SET v = v || '!' WHERE id % 100 = ?; INSERT INTO t (v) VALUES ('new'); CREATE TABLE IF NOT EXISTS more (v)",
						int64(count%100))
					count++
				}
			}
		}()
		Eventually(func() uint64 { return n.Applied() }).Should(BeNumerically(">", 10))
		out := &sink{}
		Expect(taken.Persist(out)).To(Succeed())
		taken.Release()
		close(stop)
		Expect(<-stopped).To(BeNumerically(">", 0))
		Expect(out.ended).To(Equal("closed"))
		Expect(n.digest()).NotTo(Equal(want))

		other := open(machine.Options{})
		other.restore(out.bytes)
		Expect(other.digest()).To(Equal(want))
		Expect(other.Applied()).To(Equal(uint64(2)))
	})

	It("does not wait for reads", func() {
		small := open(machine.Options{Readers: 1})
		view, err := small.View(context.Background())
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(view.Close)
		taken := make(chan error, 1)
		go func() {
			snapshot, err := small.Snapshot()
			if err == nil {
				snapshot.Release()
			}
			taken <- err
		}()
		Eventually(taken).Should(Receive(BeNil()))
	})

	It("leaves no file behind, and neither does its restoration", func() {
		before := files(n.dir)
		snapshot := n.snapshot()
		Expect(files(n.dir)).To(Equal(before))
		n.restore(snapshot)
		Expect(files(n.dir)).To(Equal(before))
	})

	It("that cannot be written is cancelled, and the machine keeps running", func() {
		before := files(n.dir)
		taken, err := n.Snapshot()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(taken.Release)
		out := &brokenSink{room: 100_000}
		Expect(taken.Persist(out)).To(MatchError(ContainSubstring("the sink is full")))
		taken.Release()
		Expect(out.ended).To(Equal("cancelled"))
		Expect(files(n.dir)).To(Equal(before))
		n.must("INSERT INTO t (v) VALUES (1)")
		Expect(n.snapshot()).NotTo(BeEmpty())
	})

	It("replaces tables, namespaces, requests and the index", func() {
		n.must("CREATE NAMESPACE kept; CREATE TABLE kept.t (v)")
		n.entry(machine.Entry{ID: "known", SQL: "INSERT INTO kept.t VALUES (1)"})

		other := open(machine.Options{})
		for range 20 {
			other.must("CREATE NAMESPACE IF NOT EXISTS gone; CREATE TABLE IF NOT EXISTS gone.t (v); CREATE TABLE IF NOT EXISTS t (other)")
		}
		other.entry(machine.Entry{ID: "lost", SQL: "INSERT INTO gone.t VALUES (1)"})
		other.restore(n.snapshot())

		Expect(other.digest()).To(Equal(n.digest()))
		Expect(other.Applied()).To(Equal(n.index))
		Expect(other.Restores()).To(Equal(uint64(1)))
		Expect(other.do("SELECT * FROM gone.t").Err).To(MatchError(ContainSubstring(`"gone"`)))
		for _, each := range []*node{n, other} {
			each.index = 30
			each.entry(machine.Entry{ID: "known", SQL: "INSERT INTO kept.t VALUES (2)"})
			each.entry(machine.Entry{ID: "lost", SQL: "INSERT INTO kept.t VALUES (3)"})
			each.must("DROP NAMESPACE IF EXISTS gone; INSERT INTO kept.t SELECT random()")
			Expect(each.read("SELECT count(*) FROM kept.t")).To(Equal([][]any{{int64(3)}}))
		}
		Expect(other.digest()).To(Equal(n.digest()))
	})

	It("is not visible to views opened before its restoration", func() {
		snapshot := n.snapshot()
		other := open(machine.Options{})
		other.must("CREATE TABLE mine (v); INSERT INTO mine VALUES (1), (2), (3)")
		view, err := other.View(context.Background())
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(view.Close)
		rows, err := ask(view, "SELECT * FROM mine")
		Expect(err).NotTo(HaveOccurred())
		other.restore(snapshot)
		other.must("INSERT INTO t (v) VALUES ('after')")
		Expect(ask(view, "SELECT * FROM mine")).To(Equal(rows))
		Expect(view.Close()).To(Succeed())
		Expect(other.read("SELECT count(*) FROM t")).To(Equal([][]any{{int64(20001)}}))
	})

	It("can be smaller than the database it replaces", func() {
		empty := open(machine.Options{})
		n.restore(empty.snapshot())
		Expect(n.digest()).To(Equal(empty.digest()))
		n.must("CREATE TABLE t (v)")
	})

	DescribeTable("that is invalid fails the machine permanently", func(change func([]byte) []byte, reason string) {
		snapshot := change(n.snapshot())
		other := open(machine.Options{})
		other.must("CREATE TABLE mine (v)")
		before := files(other.dir)
		waiting := make(chan error, 1)
		go func() { waiting <- other.WaitApplied(context.Background(), 1000) }()

		err := other.Restore(io.NopCloser(bytes.NewReader(snapshot)))
		var failed *machine.FailedError
		Expect(errors.As(err, &failed)).To(BeTrue())
		Expect(err).To(MatchError(And(HavePrefix("this node's database has failed and must be replaced: restore snapshot: "),
			ContainSubstring(reason))))
		Expect(files(other.dir)).To(Equal(before))
		Eventually(waiting).Should(Receive(Equal(err)))

		Expect(other.Failed()).To(Equal(err))
		Expect(other.do("CREATE TABLE more (v)").Err).To(Equal(err))
		Expect(other.Restore(io.NopCloser(bytes.NewReader(n.snapshot())))).To(Equal(err))
		_, err = other.View(context.Background())
		Expect(err).To(Equal(other.Failed()))
		_, err = other.Snapshot()
		Expect(err).To(MatchError(other.Failed()))
		_, _, err = other.Digest(context.Background())
		Expect(err).To(Equal(other.Failed()))
		Expect(other.Applied()).To(Equal(uint64(1)))
		Expect(other.Restores()).To(BeZero())
	},
		Entry("garbage", func([]byte) []byte { return []byte(strings.Repeat("garbage ", 1000)) }, "page 1 is damaged"),
		Entry("nothing", func([]byte) []byte { return nil }, "no such table: rejoin_applied"),
		Entry("cut off within a page", func(b []byte) []byte { return b[:len(b)/2+100] }, "malformed"),
		Entry("cut off after a page", func(b []byte) []byte { return b[:len(b)/2/4096*4096] }, "malformed"),
		Entry("its first page only", func(b []byte) []byte { return b[:4096] }, "malformed"),
	)

	It("whose source fails in the middle fails the machine", func() {
		other := open(machine.Options{})
		source := io.MultiReader(bytes.NewReader(n.snapshot()[:10_000]), &brokenReader{})
		Expect(other.Restore(io.NopCloser(source))).To(MatchError(ContainSubstring("the source broke")))
		Expect(other.Failed()).To(HaveOccurred())
	})
})

type brokenReader struct{}

func (*brokenReader) Read([]byte) (int, error) { return 0, errors.New("the source broke") }

var _ = Describe("After Close", func() {
	It("no goroutine and no file handle is left", func() {
		if _, err := os.Stat("/proc/self/fd"); err != nil {
			Skip("this system does not list open files")
		}
		handles := func() int { return len(files("/proc/self/fd")) }
		dir := GinkgoT().TempDir()
		use := func() {
			m, err := machine.Open(dir, machine.Options{})
			Expect(err).NotTo(HaveOccurred())
			n := &node{Machine: m, dir: dir}
			n.must("CREATE TABLE t (v); INSERT INTO t VALUES (1)")
			n.read("SELECT * FROM t")
			n.restore(n.snapshot())
			Expect(n.Close()).To(Succeed())
		}
		use()
		goroutines, open := gleak.Goroutines(), handles()
		for range 50 {
			use()
		}
		Expect(handles()).To(BeNumerically("<=", open))
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
	})

	It("every method returns ErrClosed", func() {
		n := open(machine.Options{})
		snapshot := n.snapshot()
		waiting := make(chan error, 1)
		go func() { waiting <- n.WaitApplied(context.Background(), 1000) }()
		Expect(n.Close()).To(Succeed())
		Expect(n.Close()).To(Succeed())
		Eventually(waiting).Should(Receive(MatchError(machine.ErrClosed)))
		Expect(n.do("SELECT 1").Err).To(MatchError(machine.ErrClosed))
		_, err := n.View(context.Background())
		Expect(err).To(MatchError(machine.ErrClosed))
		_, err = n.Snapshot()
		Expect(err).To(MatchError(machine.ErrClosed))
		_, _, err = n.Digest(context.Background())
		Expect(err).To(MatchError(machine.ErrClosed))
		Expect(n.Restore(io.NopCloser(bytes.NewReader(snapshot)))).To(MatchError(machine.ErrClosed))
		Expect(n.WaitApplied(context.Background(), 0)).To(MatchError(machine.ErrClosed))
	})

	It("the next Open starts empty, with any files present", func() {
		n := open(machine.Options{})
		n.must("CREATE TABLE t (v)")
		Expect(n.Close()).To(Succeed())
		for _, name := range []string{"state.db", "state.db-wal", "snapshot-1.db", "restore-2.db-journal"} {
			Expect(os.WriteFile(n.dir+"/"+name, []byte("garbage"), 0o600)).To(Succeed())
		}
		again := openIn(n.dir, machine.Options{})
		Expect(again.Applied()).To(BeZero())
		Expect(again.digest()).To(Equal(open(machine.Options{}).digest()))
		Expect(files(n.dir)).To(ConsistOf(HavePrefix("state.db"), HavePrefix("state.db"), HavePrefix("state.db")))
	})
})

var _ = Describe("Waiting for an index", func() {
	It("ends when it is applied", func() {
		n := open(machine.Options{})
		waiting := make(chan error, 1)
		go func() { waiting <- n.WaitApplied(context.Background(), 2) }()
		n.must("SELECT 1")
		Consistently(waiting, "20ms").ShouldNot(Receive())
		n.must("SELECT 1")
		Eventually(waiting).Should(Receive(BeNil()))
	})

	It("says what was last seen when its context ends", func() {
		n := open(machine.Options{})
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		err := n.WaitApplied(ctx, 7)
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(fmt.Sprint(err)).To(ContainSubstring("log index 7 to be applied, last seen 0"))
	})
})
