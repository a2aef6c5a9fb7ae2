package machine_test

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

var _ = Describe("A view", func() {
	var n *node
	BeforeEach(func() {
		n = open(machine.Options{Readers: 2})
		n.must("CREATE NAMESPACE ns; CREATE TABLE ns.t (v); INSERT INTO ns.t VALUES (1)")
	})

	view := func() *machine.View {
		GinkgoHelper()
		v, err := n.View(context.Background())
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(v.Close)
		return v
	}

	It("sees the database as it was when it was opened", func() {
		v := view()
		n.must("INSERT INTO ns.t VALUES (2); CREATE TABLE u (v); DROP NAMESPACE IF EXISTS other")
		Expect(ask(v, "SELECT * FROM ns.t")).To(Equal([][]any{{int64(1)}}))
		_, err := ask(v, "SELECT * FROM u")
		Expect(err).To(MatchError("no such table: u"))
		Expect(n.read("SELECT * FROM ns.t")).To(HaveLen(2))
	})

	It("never sees a partial batch", func() {
		n.must("CREATE TABLE pair (a, b); INSERT INTO pair VALUES (0, 0)")
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer GinkgoRecover()
			defer close(done)
			for {
				select {
				case <-stop:
					return
				default:
					n.batch(entries("UPDATE pair SET a = a + 1", "UPDATE pair SET b = b + 1")...)
				}
			}
		}()
		for range 200 {
			row := n.read("SELECT a, b FROM pair")[0]
			Expect(row[0]).To(Equal(row[1]))
		}
		close(stop)
		<-done
	})

	It("waits for a free connection until its context ends", func() {
		first := view()
		view()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		defer cancel()
		_, err := n.View(ctx)
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(err).To(MatchError(ContainSubstring("waiting for one of 2 read connections")))

		opened := make(chan error, 1)
		go func() {
			v, err := n.View(context.Background())
			if err == nil {
				err = v.Close()
			}
			opened <- err
		}()
		Consistently(opened, "20ms").ShouldNot(Receive())
		Expect(first.Close()).To(Succeed())
		Eventually(opened).Should(Receive(BeNil()))
		Expect(first.Close()).To(Succeed(), "twice")
	})

	It("blocks Close, and waiting calls of View return ErrClosed", func() {
		first := view()
		second := view()
		waiting := make(chan error, 1)
		go func() {
			_, err := n.View(context.Background())
			waiting <- err
		}()
		closed := make(chan error, 1)
		go func() { closed <- n.Close() }()
		Eventually(waiting).Should(Receive(MatchError(machine.ErrClosed)))
		Consistently(closed, "20ms").ShouldNot(Receive())
		Expect(ask(first, "SELECT * FROM ns.t")).To(HaveLen(1))
		Expect(first.Close()).To(Succeed())
		Consistently(closed, "20ms").ShouldNot(Receive())
		Expect(second.Close()).To(Succeed())
		Eventually(closed).Should(Receive(BeNil()))
	})

	DescribeTable("is interrupted when the context ends", func(sql string) {
		v := view()
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(20*time.Millisecond, func() { cancel(errors.New("enough")) })
		begun := time.Now()
		_, err := askUntil(ctx, v, sql)
		Expect(err).To(MatchError(ContainSubstring("enough")), "the cause")
		Expect(time.Since(begun)).To(BeNumerically("<", 2*time.Second))
		Expect(ask(v, "SELECT * FROM ns.t")).To(HaveLen(1), "the view remains usable")
	},
		Entry("within the first row", runaway),
		Entry("between rows", "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT 1 FROM r"),
		Entry("within a later row", "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r WHERE n < 3 OR n < 0"),
	)

	It("uses the wall clock and true random numbers", func() {
		v := view()
		row := func() []any {
			rows, err := ask(v, "SELECT unixepoch('now', 'subsec'), random()")
			Expect(err).NotTo(HaveOccurred())
			return rows[0]
		}
		first := row()
		Expect(first[0]).To(BeNumerically("~", float64(time.Now().UnixMilli())/1000, 5))
		Expect(row()[1]).NotTo(Equal(first[1]))
	})

	It("uses as many parameters as a statement has", func() {
		v := view()
		rows, taken, err := v.Query(context.Background(), sqltext.Statement{Text: "SELECT $2, ?1"}, []any{"a", "b", "c"})
		Expect(err).NotTo(HaveOccurred())
		Expect(taken).To(Equal(2))
		Expect(drain(rows)).To(Equal([][]any{{"b", "a"}}))
		_, taken, err = v.Query(context.Background(), sqltext.Statement{Text: "SELECT ?, ?"}, []any{"a"})
		Expect(err).To(MatchError(&sqlite.ParamCountError{Want: 2, Got: 1}))
		Expect(taken).To(Equal(2))
	})
})
