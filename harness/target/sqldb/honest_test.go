package sqldb_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// committing is a dialect in which statements that create commit by themselves.
type committing struct{}

func (committing) Translate(ctx context.Context, r target.Request, lookup dialect.Lookup) ([]dialect.Statement, error) {
	statements, err := dialect.Plain{}.Translate(ctx, r, lookup)
	for i := range statements {
		statements[i].Commits = strings.HasPrefix(statements[i].SQL, "CREATE")
	}
	return statements, err
}

var errOdd = errors.New("an error that the database made up")

// knows is a judge that knows errOdd.
func knows(o *sqldb.Options) {
	o.Judge = func(err error) sqldb.Verdict {
		if errors.Is(err, errOdd) {
			return sqldb.Verdict{Code: "ODD", Kind: target.ErrConflict, Outcome: target.NotApplied, Temporary: true}
		}
		return sqldb.Verdict{}
	}
}

var _ = Describe("A request through a driver that lies", func() {
	var l *liar

	BeforeEach(func() {
		noLeaks()
		l = &liar{}
	})

	const insert = "INSERT INTO t VALUES (1)"

	It("is sent on one connection between BEGIN and COMMIT", func(ctx SpecContext) {
		Expect(run(ctx, lying(l), insert+"; "+insert)).Error().NotTo(HaveOccurred())
		Expect(l.said("")).To(Equal([]string{"1 connect", "1 BEGIN", "1 " + insert, "1 " + insert, "1 COMMIT"}))
	})

	It("leaves connections that can be closed, also if they were broken before", func(ctx SpecContext) {
		db := lying(l)
		Expect(run(ctx, db, insert)).Error().NotTo(HaveOccurred())
		l.set(fails("close", errOdd))
		Expect(db.Close()).To(Succeed())
	})

	DescribeTable("is sent once, and its outcome follows from where it failed",
		func(ctx SpecContext, at string, cause error, outcome target.Outcome, kind error) {
			db := lying(l, knows)
			l.set(fails(at, cause))
			_, err := run(ctx, db, insert)
			Expect(err).To(MatchError(cause))
			Expect(target.OutcomeOf(err)).To(Equal(outcome), "%v", err)
			if kind != nil {
				Expect(err).To(MatchError(kind))
			}
			Expect(len(l.said("INSERT"))).To(BeNumerically("<=", 1), "%v", l.said(""))
			Expect(len(l.said("COMMIT"))).To(BeNumerically("<=", 1), "%v", l.said(""))
		},
		Entry("no connection", "connect", driver.ErrBadConn, target.NotApplied, target.ErrUnreachable),
		Entry("in BEGIN", "BEGIN", driver.ErrBadConn, target.NotApplied, target.ErrUnreachable),
		Entry("in the statement: a bad connection", "INSERT", driver.ErrBadConn, target.NotApplied, target.ErrUnreachable),
		Entry("in the statement: a broken connection", "INSERT", io.ErrUnexpectedEOF, target.NotApplied, target.ErrUnreachable),
		Entry("in the statement: an unknown error", "INSERT", errors.New("?"), target.NotApplied, nil),
		Entry("in COMMIT: a bad connection", "COMMIT", driver.ErrBadConn, target.Unknown, target.ErrUnreachable),
		Entry("in COMMIT: a broken connection", "COMMIT", io.EOF, target.Unknown, target.ErrUnreachable),
		Entry("in COMMIT: an unknown error", "COMMIT", errors.New("?"), target.Unknown, nil),
		Entry("in COMMIT: an error that the adapter knows", "COMMIT", errOdd, target.NotApplied, target.ErrConflict),
	)

	It("closes a connection on which it was not rolled back", func(ctx SpecContext) {
		db := lying(l)
		l.set(func(_ context.Context, call string) error {
			if strings.Contains(call, "INSERT") || strings.Contains(call, "ROLLBACK") {
				return errOdd
			}
			return nil
		})
		Expect(run(ctx, db, insert)).Error().To(MatchError(errOdd))
		Expect(l.said("close")).To(Equal([]string{"1 close"}))
	})

	DescribeTable("takes another connection if an idle one is gone",
		func(ctx SpecContext, sql string) {
			db := lying(l)
			Expect(run(ctx, db, "SELECT 5")).To(HaveLen(5))
			l.set(func(_ context.Context, call string) error {
				if strings.HasPrefix(call, "1 ") && call != "1 close" {
					return io.EOF
				}
				return nil
			})
			Expect(run(ctx, db, sql)).Error().NotTo(HaveOccurred())
			Expect(l.said(sql)).To(ContainElement("2 " + sql))
		},
		Entry("to read", "SELECT 5"),
		Entry("to change", insert),
	)

	It("is no success after half of its rows, and is not sent again", func(ctx SpecContext) {
		for _, cause := range []error{io.ErrUnexpectedEOF, driver.ErrBadConn, errOdd} {
			l = &liar{halfway: cause}
			db := lying(l)
			rows, err := db.Query(ctx, target.Request{SQL: "SELECT 5"})
			Expect(err).NotTo(HaveOccurred())
			Expect(rows.NextResult() && rows.Next() && rows.Next()).To(BeTrue())
			Expect(rows.Next()).To(BeFalse())
			Expect(rows.NextResult()).To(BeFalse())
			Expect(rows.Err()).To(MatchError(cause))
			Expect(target.OutcomeOf(rows.Err())).To(Equal(target.NotApplied), "it only reads")
			Expect(rows.Close()).To(Succeed())
			Expect(l.said("SELECT")).To(HaveLen(1))
		}
	})

	It("of several changes has an unknown outcome once one of them has committed by itself", func(ctx SpecContext) {
		commits := func(o *sqldb.Options) { o.Dialect = committing{}; knows(o) }
		create := "CREATE TABLE t (v)"
		for _, c := range []struct {
			sql, at string
			outcome target.Outcome
		}{
			{create, "CREATE", target.NotApplied},
			{create + ";" + insert, "INSERT", target.Unknown},
			{insert + ";" + create, "CREATE", target.Unknown},
			{insert + ";" + create, "INSERT", target.NotApplied},
		} {
			l = &liar{on: fails(c.at, errOdd)}
			_, err := run(ctx, lying(l, commits), c.sql)
			Expect(err).To(MatchError(errOdd))
			Expect(target.OutcomeOf(err)).To(Equal(c.outcome), "%s, failing at %s", c.sql, c.at)
		}
	})

	It("that commits by itself has the outcome that JudgeSchema reads", func(ctx SpecContext) {
		l = &liar{on: fails("CREATE", errOdd)}
		_, err := run(ctx, lying(l, func(o *sqldb.Options) {
			o.Dialect = committing{}
			knows(o)
			o.JudgeSchema = func(err error) sqldb.Verdict {
				v := o.Judge(err)
				v.Outcome = target.Unknown
				return v
			}
		}), "CREATE TABLE t (v)")
		Expect(err).To(MatchError(target.ErrConflict))
		Expect(target.OutcomeOf(err)).To(Equal(target.Unknown))

		l = &liar{on: fails("COMMIT", errOdd)}
		_, err = run(ctx, lying(l, func(o *sqldb.Options) {
			knows(o)
			o.JudgeSchema = func(error) sqldb.Verdict { return sqldb.Verdict{} }
		}), insert)
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), "which is asked for nothing else")
	})

	Describe("and does not answer", func() {
		var answer chan struct{}

		// silent is a hook under which calls with that text return when the spec lets them, whatever their context says.
		silent := func(text string) func(context.Context, string) error {
			return func(_ context.Context, call string) error {
				if strings.Contains(call, text) {
					<-answer
				}
				return nil
			}
		}

		BeforeEach(func() {
			answer = make(chan struct{})
		})

		DescribeTable("ends in time, and sends nothing more",
			func(ctx SpecContext, at string, outcome target.Outcome) {
				db := lying(l)
				DeferCleanup(func() { // before db is closed: Close waits for the driver
					select {
					case <-answer:
					default:
						close(answer)
					}
				})
				l.set(silent(at))
				begun := time.Now()
				_, err := run(ctx, db, insert)
				Expect(err).To(MatchError(target.ErrTimeout))
				Expect(target.OutcomeOf(err)).To(Equal(outcome))
				Expect(time.Since(begun)).To(BeNumerically("<", 5*time.Second))
				close(answer)
				Expect(db.Close()).To(Succeed())
				if at != "COMMIT" {
					Expect(l.said("COMMIT")).To(BeEmpty(), "it was said not to be applied")
				}
				Expect(l.said("close")).To(HaveLen(1))
			},
			Entry("in BEGIN", "BEGIN", target.NotApplied),
			Entry("in the statement", "INSERT", target.NotApplied),
			Entry("in COMMIT", "COMMIT", target.Unknown),
		)

		It("ends when its context ends", func(ctx SpecContext) {
			db := lying(l, func(o *sqldb.Options) { o.Timeout = time.Minute })
			DeferCleanup(func() { close(answer) })
			l.set(silent("INSERT"))
			brief, cancel := context.WithCancel(ctx)
			DeferCleanup(cancel)
			go func() {
				defer GinkgoRecover()
				Eventually(func() []string { return l.said("INSERT") }).Should(HaveLen(1))
				cancel()
			}()
			_, err := run(brief, db, insert)
			Expect(err).To(MatchError(context.Canceled))
			Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		})

		It("leaves an interactive transaction that cannot be committed", func(ctx SpecContext) {
			db := lying(l, func(o *sqldb.Options) {
				o.Levels = map[target.Isolation][]string{target.Serializable: {"BEGIN"}}
			})
			DeferCleanup(func() { close(answer) })
			t, err := db.Begin(ctx, target.Serializable)
			Expect(err).NotTo(HaveOccurred())
			l.set(silent("COMMIT"))
			err = t.Commit(ctx)
			Expect(err).To(MatchError(target.ErrTimeout))
			Expect(target.OutcomeOf(err)).To(Equal(target.Unknown))
			Expect(t.Commit(ctx)).NotTo(Succeed())
		})
	})

	It("fails as a whole where the database does so", func(ctx SpecContext) {
		db := lying(l, func(o *sqldb.Options) {
			o.Levels = map[target.Isolation][]string{target.Snapshot: {"SET LEVEL", "BEGIN"}}
			o.FailsWhole = true
		})
		t, err := db.Begin(ctx, target.Snapshot)
		Expect(err).NotTo(HaveOccurred())
		Expect(l.said("")).To(Equal([]string{"1 connect", "1 SET LEVEL", "1 BEGIN"}))
		l.set(fails("INSERT", errOdd))
		Expect(run(ctx, t, insert)).Error().To(MatchError(errOdd))
		err = t.Commit(ctx)
		Expect(err).To(MatchError(target.ErrConflict))
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		Expect(l.said("COMMIT")).To(BeEmpty())
		Expect(l.said("ROLLBACK")).To(HaveLen(1))
	})

	It("prepares its connection for the consistency that it asks for", func(ctx SpecContext) {
		db := lying(l, func(o *sqldb.Options) {
			o.Prepare = map[target.Consistency][]string{target.Strong: {"SET wait = 1"}}
		})
		_, err := read(db.Query(ctx, target.Request{SQL: "SELECT 5", Consistency: target.Strong}))
		Expect(err).NotTo(HaveOccurred())
		Expect(l.said("")).To(Equal([]string{"1 connect", "1 SET wait = 1", "1 SELECT 5"}))
	})
})
