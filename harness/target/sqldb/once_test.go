package sqldb_test

import (
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// claimed is a table of requests in which another one has claimed the ID, so many times.
type claimed struct {
	times  int
	answer *sqldb.Answer
	kept   *sqldb.Answer
	gone   bool // the ID is claimed, and has no answer
	forgot int
	failed error // of Forget
}

func (c *claimed) Recall(context.Context, sqldb.Tx, target.Request) (*sqldb.Answer, error) {
	if c.times--; c.times >= 0 {
		return nil, &target.Error{Kind: target.ErrConstraint}
	}
	if c.gone {
		return nil, &target.Error{Kind: target.ErrAnswerGone, Outcome: target.Applied}
	}
	return c.answer, nil
}

func (c *claimed) Forget(context.Context, sqldb.Tx, target.Request) error {
	c.forgot++
	return c.failed
}

func (c *claimed) Keep(_ context.Context, _ sqldb.Tx, _ target.Request, answer *sqldb.Answer) error {
	c.kept = answer
	return nil
}

var _ = Describe("A request whose ID another one claims at once", func() {
	request := target.Request{SQL: "INSERT INTO t VALUES (1)", ID: "a"}
	var l *liar

	send := func(ctx context.Context, once *claimed) (*sqldb.Answer, error) {
		return sqldb.Whole(lying(l, func(o *sqldb.Options) { o.Once = once }).Query(ctx, request))
	}

	BeforeEach(func() {
		noLeaks()
		l = &liar{}
	})

	It("is begun again, and has the answer of the other one", func(ctx SpecContext) {
		answer, err := send(ctx, &claimed{times: 1, answer: &sqldb.Answer{Results: []sqldb.Result{{Affected: 7, Counted: true}}}})
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.Results).To(HaveExactElements(HaveField("Affected", int64(7))))
		Expect(l.said("BEGIN")).To(HaveLen(2))
		Expect(l.said("INSERT")).To(BeEmpty())
	})

	It("is applied if the other one was not, and keeps its answer", func(ctx SpecContext) {
		once := &claimed{times: 1}
		Expect(send(ctx, once)).Error().NotTo(HaveOccurred())
		Expect(l.said("INSERT")).To(HaveLen(1))
		Expect(once.kept.Results).To(HaveExactElements(HaveField("Affected", int64(1))))
	})

	It("has an unknown outcome if that happens again", func(ctx SpecContext) {
		_, err := send(ctx, &claimed{times: 2})
		Expect(err).To(MatchError(target.ErrConstraint))
		Expect(target.OutcomeOf(err)).To(Equal(target.Unknown))
		Expect(l.said("BEGIN")).To(HaveLen(2))
	})
})

var _ = Describe("A request with an ID that commits by itself", func() {
	var l *liar
	var once *claimed

	send := func(ctx context.Context, sql string) error {
		_, err := sqldb.Whole(lying(l, func(o *sqldb.Options) {
			o.Dialect, o.Once = committing{}, once
			knows(o)
		}).Query(ctx, target.Request{SQL: sql, ID: "a"}))
		return err
	}
	const create, insert = "CREATE TABLE t (v)", "INSERT INTO t VALUES (1)"

	BeforeEach(func() {
		noLeaks()
		l, once = &liar{}, &claimed{}
	})

	It("keeps its ID", func(ctx SpecContext) {
		Expect(send(ctx, create)).To(Succeed())
		Expect(once.forgot).To(BeZero())
		Expect(once.kept).NotTo(BeNil())
	})

	It("gives its ID back if it was not applied", func(ctx SpecContext) {
		l.set(fails("CREATE", errOdd))
		err := send(ctx, create)
		Expect(err).To(MatchError(errOdd))
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		Expect(once.forgot).To(Equal(1))
	})

	It("says why its ID cannot be given back", func(ctx SpecContext) {
		l.set(fails("CREATE", errOdd))
		once.failed = errors.New("the table of requests is locked")
		Expect(send(ctx, create)).To(MatchError(And(ContainSubstring(errOdd.Error()), ContainSubstring("the table of requests is locked"))))
	})

	It("keeps its ID if it may have been applied", func(ctx SpecContext) {
		l.set(fails("CREATE", errors.New("of which nothing is known")))
		Expect(target.OutcomeOf(send(ctx, create))).To(Equal(target.Unknown))
		l.set(fails("CREATE", errOdd))
		Expect(target.OutcomeOf(send(ctx, insert+";"+create))).To(Equal(target.Unknown), "the insert is committed")
		Expect(once.forgot).To(BeZero())
	})

	It("has an unknown outcome if its ID was claimed and has no answer", func(ctx SpecContext) {
		once.gone = true
		Expect(target.OutcomeOf(send(ctx, create))).To(Equal(target.Unknown))
		Expect(target.OutcomeOf(send(ctx, insert))).To(Equal(target.Applied), "which claims its ID and is applied at once")
	})
})
